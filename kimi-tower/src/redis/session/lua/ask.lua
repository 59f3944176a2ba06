-- Asks for a turn, or looks whether it has come. Sent twice it does the same.
--
-- KEYS  session, line, beats, epoch
-- ARGV  1 who asks, `process.ticket`   2 its arrival; 0 if it has none yet   3 the lease
--       4 how many may wait before it; -1 for any   5 `1` if it supersedes
--       6 how long a turn may be held; -1 for any   7 in ms, how long an answer may not be read;
--       -1 for any   8 what the names of channels begin with   9 until when it is waited for
-- Returns {'late', now}, {'granted', now, number}, {'full', now}, {'superseded', now}, or
--   {'waits', now, arrival, how many are before it, in how many us to look again}

local session, line, beats, epoch = unpack(KEYS)
local me, arrival, lease, room = ARGV[1], tonumber(ARGV[2]), tonumber(ARGV[3]), tonumber(ARGV[4])
local supersedes, hold, idle, channel = ARGV[5] == '1', tonumber(ARGV[6]), tonumber(ARGV[7]), ARGV[8]

-- It would have a turn, or a place, that nobody knows of.
if islate() then return {'late', now} end

beat(beats, processof(me), lease)
local known = redis.call('HMGET', session, 'h', 'n', 'a', 'x')
if known[1] == me then
  redis.call('HSET', session, 'u', whole(now + lease))
  keep(session, line, lease)
  return {'granted', now, tonumber(known[2])}
end

local place = redis.call('ZSCORE', line, me)
if arrival > 0 and tonumber(known[4] or 0) >= arrival then
  redis.call('ZREM', line, me)
  return {'superseded', now}
end
local isnew = not place and arrival == 0
if place then
  arrival = tonumber(place)
elseif isnew then
  local last = tonumber(known[3] or 0)
  if supersedes then
    for _, other in ipairs(redis.call('ZRANGE', line, 0, -1)) do tell(channel, session, other, 'look') end
    redis.call('DEL', line)
    redis.call('HSET', session, 'x', whole(last), 't', 'superseded')
    redis.call('HDEL', session, 'e')
  end
  arrival = math.max(last + 1, now)
  redis.call('HSET', session, 'a', whole(arrival))
end
-- Who was forgotten, or whose lease ran out before it knew of its turn, has its place again.
if not place then redis.call('ZADD', line, whole(arrival), me) end

local holder, number, till = promote(session, line, beats, epoch, lease, channel, me)
if holder == me then
  keep(session, line, lease)
  return {'granted', now, number}
end
local ahead = redis.call('ZRANK', line, me)
if isnew and not supersedes and room >= 0 and ahead >= room then
  -- The dead take no room.
  local dead = {}
  for _, other in ipairs(redis.call('ZRANGE', line, 0, ahead - 1)) do
    local process = processof(other)
    if dead[process] == nil then
      dead[process] = tonumber(redis.call('ZSCORE', beats, process) or 0) <= now
    end
    if dead[process] then redis.call('ZREM', line, other) end
  end
  ahead = redis.call('ZRANK', line, me)
  if ahead >= room then
    redis.call('ZREM', line, me)
    keep(session, line, lease)
    return {'full', now}
  end
end

-- Told again each second, as long as somebody waits, and with each beat of the holder: what is told
-- may get lost.
local wait = till - now
if holder then
  local told = redis.call('HMGET', session, 'g', 't', 'e', 'i')
  local since, reason, last, asked = tonumber(told[1]), told[2], tonumber(told[3] or 0), tonumber(told[4] or 0)
  if not reason and hold >= 0 then
    if since + hold <= now then
      reason = 'max_hold'
      redis.call('HSET', session, 't', reason)
    else
      wait = math.min(wait, since + hold - now)
    end
  end
  if reason and last + 1000000 <= now then
    redis.call('HSET', session, 'e', whole(now))
    tell(channel, session, holder, reason)
  end
  if idle >= 0 and asked + math.min(1000000, idle * 1000) <= now then
    redis.call('HSET', session, 'i', whole(now), 'j', whole(idle))
    tell(channel, session, holder, 'idle:' .. whole(idle))
  end
end
keep(session, line, lease)
return {'waits', now, arrival, ahead + (holder and 1 or 0), math.max(wait, 0)}
