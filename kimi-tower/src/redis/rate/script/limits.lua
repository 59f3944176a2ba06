-- The states of one key under the rules of a plan. The head of both scripts.
--
-- KEYS[1]    hash: a field for each rule; `q`, the last place of the queue; `p`, the end of a pause
-- KEYS[2]    sorted set: the queue. score: when one goes; member: `id us:sub us:sub ..`, his price by
--            each rule
-- KEYS[2+i]  sorted set of rule i, if it is a window. score: the end of the slot of time in which
--            was spent; member: `score:units`
-- ARGV[1]    number of rules. The rules stand at the end, `stride` arguments each:
--            'g' capacity base  amounts ..     burst and rate
--            'w' units period slot  amounts .. window
--
-- Points in time are microseconds since 1970 by this server's clock, durations are microseconds. A
-- bucket's time is two numbers, since no double holds it: whole microseconds, and a rest counted in
-- parts of which `base` are one microsecond. An amount of a bucket is the time in which it comes back,
-- in such two numbers; that of a window is units and 0.
-- A bucket's field is `us rest born back`: the time when it will be full; when its state was made,
-- and how many microseconds have been given back since. A window's is its number of units.

local clock = redis.call('TIME')
local now = clock[1] * 1000000 + clock[2]
local floor, ceil, max, min = math.floor, math.ceil, math.max, math.min

local function add(us, rest, more, more_rest, base)
  local sum = rest + more_rest
  if sum >= base then return us + more + 1, sum - base end
  return us + more, sum
end

local function sub(us, rest, less, less_rest, base)
  local left = rest - less_rest
  if left < 0 then return us - less - 1, left + base end
  return us - less, left
end

local function later(us, rest, other, other_rest)
  return us > other or us == other and rest > other_rest
end

local function whole(number) return string.format('%.0f', number) end

local function units_of(member) return tonumber(string.match(member, ':(%d+)$')) end

-- Reads the rules and their states, without what has come back by now.
local function load(first, stride)
  local rules, names = {}, { 'q', 'p' }
  for i = 1, tonumber(ARGV[1]) do names[i + 2] = tostring(i) end
  local fields = redis.call('HMGET', KEYS[1], unpack(names))
  for i = 1, #names - 2 do
    local from = first + (i - 1) * stride
    local rule = { kind = ARGV[from], amounts = {} }
    local a, b, c = tonumber(ARGV[from + 1]), tonumber(ARGV[from + 2]), tonumber(ARGV[from + 3])
    for n = 4, stride - 1 do rule.amounts[n - 3] = tonumber(ARGV[from + n]) end
    if rule.kind == 'g' then
      rule.cap, rule.cap_rest, rule.base = a, b, c
      local us, rest, born, back = string.match(fields[i + 2] or '', '^(%d+) (%d+) (%d+) (%d+)$')
      rule.us, rule.rest = tonumber(us) or 0, tonumber(rest) or 0
      rule.born, rule.back = tonumber(born) or now, tonumber(back) or 0
    else
      rule.units, rule.period, rule.slot, rule.key = a, b, c, KEYS[i + 2]
      rule.used = 0
      local oldest = redis.call('ZRANGE', rule.key, 0, 0, 'WITHSCORES')
      if oldest[1] then
        rule.used = tonumber(fields[i + 2])
        if not rule.used then
          -- The server was short of memory and has let go of the hash alone.
          rule.used, rule.changed = 0, true
          for _, member in ipairs(redis.call('ZRANGE', rule.key, 0, -1)) do
            rule.used = rule.used + units_of(member)
          end
        end
        if tonumber(oldest[2]) + rule.period <= now then
          local back = whole(now - rule.period)
          for _, member in ipairs(redis.call('ZRANGEBYSCORE', rule.key, '-inf', back)) do
            rule.used = rule.used - units_of(member)
          end
          redis.call('ZREMRANGEBYSCORE', rule.key, '-inf', back)
          rule.changed = true
        end
      end
    end
    rules[i] = rule
  end
  return rules, tonumber(fields[1]) or 0, tonumber(fields[2]) or 0
end

local function last_of(rule)
  local last = redis.call('ZREVRANGE', rule.key, 0, 0, 'WITHSCORES')
  return tonumber(last[2]) or 0, last[1]
end

-- Adds units to a window, not before its last.
local function push(rule, at, units)
  local last, member = last_of(rule)
  local slot = max(ceil(at / rule.slot) * rule.slot, last)
  local there = 0
  if member and slot == last then
    there = units_of(member)
    redis.call('ZREM', rule.key, member)
  end
  redis.call('ZADD', rule.key, whole(slot), whole(slot) .. ':' .. whole(there + units))
  rule.used, rule.changed = rule.used + units, true
end

-- Takes up to so many units from the entry of a window that a member names. Returns how many.
local function take(rule, member, score, units)
  local there = units_of(member)
  redis.call('ZREM', rule.key, member)
  if there > units then
    redis.call('ZADD', rule.key, score, score .. ':' .. whole(there - units))
  end
  local taken = min(there, units)
  rule.used, rule.changed = rule.used - taken, true
  return taken
end

-- Spends what may not be there. What is not is owed, at most a whole quota.
local function debit(rule, us, rest)
  if us == 0 and rest == 0 then return end
  if rule.kind == 'g' then
    local base = rule.base
    local from, from_rest = rule.us, rule.rest
    if not later(from, from_rest, now, 0) then from, from_rest = now, 0 end
    local owed, owed_rest = add(from, from_rest, us, rest, base)
    local most, most_rest = add(now, 0, rule.cap, rule.cap_rest, base)
    most, most_rest = add(most, most_rest, rule.cap, rule.cap_rest, base)
    if later(owed, owed_rest, most, most_rest) then owed, owed_rest = most, most_rest end
    if later(owed, owed_rest, rule.us, rule.rest) then
      rule.us, rule.rest, rule.changed = owed, owed_rest, true
    end
    return
  end
  local there = max(min(rule.units - rule.used, us), 0)
  if there > 0 then push(rule, now, there) end
  local owed = us - there
  while owed > 0 do
    -- The units that come back next are spent again as they do.
    local oldest = redis.call('ZRANGE', rule.key, 0, 0, 'WITHSCORES')
    local score = tonumber(oldest[2])
    if not score or score > ceil(now / rule.slot) * rule.slot then break end
    local taken = take(rule, oldest[1], oldest[2], owed)
    push(rule, score + rule.period, taken)
    owed = owed - taken
  end
end

-- Writes what has changed. It expires when it tells no more than nothing.
local function store(rules, tail, pause)
  local fields, ends = {}, max(tail, pause)
  for i, rule in ipairs(rules) do
    if rule.kind == 'g' then
      ends = max(ends, rule.us + 1)
    elseif rule.used > 0 then
      ends = max(ends, (last_of(rule)) + rule.period)
    end
    if rule.changed then
      fields[#fields + 1] = tostring(i)
      if rule.kind == 'g' then
        fields[#fields + 1] = whole(rule.us) .. ' ' .. whole(rule.rest) .. ' ' .. whole(rule.born)
          .. ' ' .. whole(rule.back)
      else
        fields[#fields + 1] = whole(rule.used)
      end
    end
  end
  if tail >= 0 then
    fields[#fields + 1] = 'q'
    fields[#fields + 1] = whole(tail)
  end
  if pause >= 0 then
    fields[#fields + 1] = 'p'
    fields[#fields + 1] = whole(pause)
  end
  if #fields == 0 then return end
  redis.call('HSET', KEYS[1], unpack(fields))
  local life = whole(max(ceil((ends - now) / 1000), 0) + 1)
  redis.call('PEXPIRE', KEYS[1], life)
  redis.call('PEXPIRE', KEYS[2], life)
  for _, rule in ipairs(rules) do
    if rule.key then redis.call('PEXPIRE', rule.key, life) end
  end
end
