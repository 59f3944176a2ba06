-- Corrects what was charged, and takes notice of what an upstream says.
--
-- ARGV[2]  at: when it was charged
-- ARGV[3]  id of a place in the queue that is left; '' if none is
-- ARGV[4]  pause: how long nothing of the key is admitted from now on
-- ARGV[5..] rules; amounts: less, more, left, and full, born, back. `less` is given back; `more` is
--          spent, whether it is there or not; no more is left than `left`, of which -1 stands for any
--          number. That of a bucket is the time from now in which it is full then. `full` is -1, but
--          of a bucket's lease: when it was full after that was charged, with `born` and `back`
--
-- Returns now.

local STRIDE = 13
local rules, tail, pause = load(5, STRIDE)
local at, id, stop = tonumber(ARGV[2]), ARGV[3], tonumber(ARGV[4])

-- Those who wait and have been charged in times to come, in their order.
local places, new_tail = {}, -1
if tail > now then
  redis.call('ZREMRANGEBYSCORE', KEYS[2], '-inf', whole(now))
  local queue = redis.call('ZRANGE', KEYS[2], 0, -1, 'WITHSCORES')
  for n = 1, #queue, 2 do
    if id ~= '' and string.sub(queue[n], 1, #id + 1) == id .. ' ' then
      redis.call('ZREM', KEYS[2], queue[n])
      new_tail = 0
    else
      local prices = {}
      for us, rest in string.gmatch(queue[n], '(%d+):(%d+)') do
        prices[#prices + 1] = { tonumber(us), tonumber(rest) }
      end
      places[#places + 1] = { at = tonumber(queue[n + 1]), prices = prices }
    end
  end
  if new_tail == 0 and #places > 0 then new_tail = places[#places].at end
end

-- Gives back to a bucket. No earlier than this it can be full: each of those who wait begins with
-- no more than a full one, and he and all behind him have yet to be charged.
local function refund(i, rule, less, less_rest)
  rule.back = rule.back + less + (less_rest > 0 and 1 or 0)
  local us, rest = sub(rule.us, rule.rest, less, less_rest, rule.base)
  if us < 0 then us, rest = 0, 0 end
  local sum, sum_rest = 0, 0
  for n = #places, 1, -1 do
    local mine = places[n].prices[i]
    if mine then
      sum, sum_rest = add(sum, sum_rest, mine[1], mine[2], rule.base)
      local least, least_rest = add(places[n].at, 0, sum, sum_rest, rule.base)
      if later(least, least_rest, us, rest) then us, rest = least, least_rest end
    end
  end
  -- And nothing is taken by giving back.
  if later(rule.us, rule.rest, us, rest) then
    rule.us, rule.rest, rule.changed = us, rest, true
  end
end

-- Of a lease only that is given back which has not come back by itself: what was charged first
-- comes back first, and what was given back since lets it come back sooner. Were it more, the bucket
-- would hold what came back while it was full.
local function remains(rule, less, less_rest, full, born, back)
  if full < 0 then return less, less_rest end
  if born ~= rule.born then return 0, 0 end
  local most = max(full - (rule.back - back) - now, 0)
  if later(less, less_rest, most, 0) then return most, 0 end
  return less, less_rest
end

for i, rule in ipairs(rules) do
  local less, less_rest, more, more_rest, left, left_rest, full, born, back = unpack(rule.amounts)
  debit(rule, more, more_rest)
  if rule.kind == 'g' then
    less, less_rest = remains(rule, less, less_rest, full, born, back)
  end
  if less > 0 or less_rest > 0 then
    if rule.kind == 'g' then
      refund(i, rule, less, less_rest)
    else
      local slot = ceil(at / rule.slot) * rule.slot
      if slot + rule.period > now then
        local entry = redis.call('ZRANGEBYSCORE', rule.key, whole(slot), '+inf', 'WITHSCORES',
          'LIMIT', 0, 1)
        if entry[1] then take(rule, entry[1], entry[2], less) end
      end
    end
  end
  if left >= 0 then
    if rule.kind == 'g' then
      local us, rest = add(now, 0, left, left_rest, rule.base)
      if later(us, rest, rule.us, rule.rest) then
        rule.us, rule.rest, rule.changed = us, rest, true
      end
    elseif rule.units - rule.used > left then
      push(rule, now, rule.units - rule.used - left)
    end
  end
end

local new_pause = -1
if stop > 0 and now + stop > pause then new_pause = now + stop end
-- Places of others live as long as they did.
if new_tail < 0 and tail > now then new_tail = tail end
if new_pause < 0 and pause > now then new_pause = pause end
store(rules, new_tail, new_pause)
return now
