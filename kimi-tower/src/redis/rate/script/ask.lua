-- Decides by all rules of a plan: all are charged, or none.
--
-- ARGV[2]  max_wait: how long he waits; -1 if he does not
-- ARGV[3]  max_queue: how many of the key wait at a time
-- ARGV[4]  batch: as many times the cost are taken as there are, at most so many
-- ARGV[5]  lease: how long what is taken may be used
-- ARGV[6]  id of his place in the queue, if he waits: without a space
-- ARGV[7..] rules; amounts: cost, debt. The debt is spent first, whether it is there or not
--
-- Returns {what, now, at, batch, rule, a, b, .., born, back, ..}:
-- what   0 refused; 1 admitted; 2 he waits until `at`, and has been charged then
-- at     when he is admitted; -1 never
-- batch  how many times the cost were taken
-- rule   that of the longest wait, from 0; 0 if only others who wait, or a pause, stand in the way
-- a, b   of each rule, after this: a bucket's time when it is full; or a window's units that are
--        spent, and the end of the last slot, 0 if there is none
-- born, back  of a lease, of each rule: what `settle` is to be told when it is returned

local STRIDE = 8
local rules, tail, pause = load(7, STRIDE)
local max_wait, max_queue = tonumber(ARGV[2]), tonumber(ARGV[3])
local batch, lease = tonumber(ARGV[4]), tonumber(ARGV[5])

for _, rule in ipairs(rules) do debit(rule, rule.amounts[3], rule.amounts[4]) end

local function price(rule, times)
  local us, rest = rule.amounts[1] * times, rule.amounts[2] * times
  if rule.kind == 'w' then return us, 0 end
  local carry = floor(rest / rule.base)
  return us + carry, rest - carry * rule.base
end

-- Returns the first microsecond from `from` on in which it fits; nil if it never does.
local function first(rule, times, from)
  local us, rest = price(rule, times)
  if us == 0 and rest == 0 then return from end
  if rule.kind == 'g' then
    if later(us, rest, rule.cap, rule.cap_rest) then return nil end
    if not later(rule.us, rule.rest, from, 0) then return from end
    local spent, spent_rest = add(rule.us, rule.rest, us, rest, rule.base)
    local ready, ready_rest = sub(spent, spent_rest, rule.cap, rule.cap_rest, rule.base)
    if ready_rest > 0 then ready = ready + 1 end
    return max(from, ready)
  end
  if us > rule.units then return nil end
  local missing = rule.used + us - rule.units
  if missing <= 0 then return from end
  -- It fits when so many have come back, which the last of these entries decides.
  local offset = 0
  while true do
    local entries = redis.call('ZRANGE', rule.key, offset, offset + 63, 'WITHSCORES')
    if not entries[1] then return from end
    for n = 1, #entries, 2 do
      missing = missing - units_of(entries[n])
      if missing <= 0 then return max(from, tonumber(entries[n + 1]) + rule.period) end
    end
    offset = offset + 64
  end
end

local function look(times, from)
  local at, binding = from, 0
  for i, rule in ipairs(rules) do
    local it = first(rule, times, from)
    if not it then return nil, i - 1 end
    if it > at then at, binding = it, i - 1 end
  end
  return at, binding
end

-- Returns about how many times the cost there are now. `look` decides: a double may be wrong by one.
local function there(rule)
  local us, rest = rule.amounts[1], rule.amounts[2]
  if us == 0 and rest == 0 then return batch end
  if rule.kind == 'w' then return floor((rule.units - rule.used) / us) end
  local spent = max(rule.us - now + rule.rest / rule.base, 0)
  return floor((rule.cap + rule.cap_rest / rule.base - spent) / (us + rest / rule.base))
end

if batch > 1 then
  for _, rule in ipairs(rules) do batch = min(batch, there(rule)) end
  batch = max(batch, 1)
end

-- Nobody overtakes.
local from = max(now, tail, pause)
local at, binding = look(batch, from)
while batch > 1 and at ~= now do
  batch = floor(batch / 2)
  at, binding = look(batch, from)
end

local what = 0
if at == now then
  what = 1
elseif at and at - now <= max_wait then
  redis.call('ZREMRANGEBYSCORE', KEYS[2], '-inf', whole(now))
  if redis.call('ZCARD', KEYS[2]) < max_queue then what = 2 end
end

-- Places and pauses of others live as long as they did.
local new_tail, new_pause = tail > now and tail or -1, pause > now and pause or -1
if what > 0 then
  local place = { ARGV[6] }
  for i, rule in ipairs(rules) do
    local us, rest = price(rule, batch)
    if us > 0 or rest > 0 then
      if rule.kind == 'w' then
        -- As if it were used at the end of the lease: no use of it counts too early.
        push(rule, at + lease, us)
      else
        if not later(rule.us, rule.rest, at, 0) then rule.us, rule.rest = at, 0 end
        rule.us, rule.rest = add(rule.us, rule.rest, us, rest, rule.base)
        rule.changed = true
      end
    end
    place[i + 1] = rule.kind == 'g' and whole(us) .. ':' .. whole(rest) or '0:0'
  end
  if what == 2 then
    redis.call('ZADD', KEYS[2], whole(at), table.concat(place, ' '))
    new_tail = at
  end
end
store(rules, new_tail, new_pause)

local answer = { what, now, at or -1, batch, binding }
for _, rule in ipairs(rules) do
  local a, b = rule.us, rule.rest
  if rule.kind == 'w' then a, b = rule.used, (last_of(rule)) end
  answer[#answer + 1] = a
  answer[#answer + 1] = b
end
if lease > 0 then
  for _, rule in ipairs(rules) do
    answer[#answer + 1] = rule.born or 0
    answer[#answer + 1] = rule.back or 0
  end
end
return answer
