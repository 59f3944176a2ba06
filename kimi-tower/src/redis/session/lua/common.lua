-- What the scripts of sessions share. It stands before each of them.
--
-- Times are microseconds of the server's clock, since 1970, or lengths in microseconds.
--
-- beats    zset: process -> until when it is alive.
-- epoch    string: since when all that was granted is known here.
-- session  hash:
--   h  who has the turn, `process.ticket`; absent if nobody has
--   n  the number of the last turn, which is kept for a while after it
--   u  until when it is leased
--   g  when it was granted
--   t  why it is to end, `superseded` or `max_hold`; absent if it is not
--   e  when it was last told so
--   i  when it was last asked to end if it is idle
--   j  for how many ms
--   a  the last arrival
--   x  whoever arrived no later is superseded
-- line     zset: who waits, `process.ticket` -> its arrival.

local at = redis.call('TIME')
local now = tonumber(at[1]) * 1000000 + tonumber(at[2])

-- More than 2^53 us are the year 2255.
local function whole(number) return string.format('%.0f', number) end

local function processof(member) return string.match(member, '^[^.]*') end

local function ticketof(member) return string.match(member, '[^.]*$') end

-- Whoever is told knows of whose turn, and gives back what it does not know it has.
local function tell(channel, session, member, what)
  local key = string.match(session, '[^:]*$')
  -- What is not told is found.
  redis.pcall('PUBLISH', channel .. processof(member), what .. ' ' .. ticketof(member) .. ' ' .. key)
end

-- Whether nobody waits for this any more, as when the server was stopped before it came to it: the last
-- of ARGV says until when somebody does. One that did not know what time it is here is told.
local function islate() return tonumber(ARGV[#ARGV]) < now end

-- Since when all grants are known here. A server that has just started may have forgotten some:
-- until a lease has passed there are no new ones, and who has a turn says so meanwhile.
local function sinceof(epoch, lease)
  local since = tonumber(redis.call('GET', epoch))
  if not since then
    local info = redis.pcall('INFO', 'server')
    local uptime = type(info) == 'string' and tonumber(string.match(info, 'uptime_in_seconds:(%d+)'))
    -- It is told in whole seconds, and may be one less.
    since = now
    if uptime and (uptime - 1) * 1000000 > lease then since = now - lease end
    redis.call('SET', epoch, whole(since), 'PX', 86400000)
  end
  return since
end

-- Gives the turn to the first in the line whose process is alive, if nobody has it. Until that one
-- says that it knows, it has it for as long as its process is known to be alive: a dead process
-- takes no more time than its last beat gives it, whatever it has waited for.
-- Returns who has it, its number and until when, or nil and when it can be given.
local function promote(session, line, beats, epoch, lease, channel, asking)
  local kept = redis.call('HMGET', session, 'h', 'n', 'u')
  local holder, number, till = kept[1], tonumber(kept[2]), tonumber(kept[3])
  if holder and till > now then return holder, number, till end
  local from = sinceof(epoch, lease) + lease
  if from > now then return nil, nil, from end
  local dead = {}
  while true do
    local first = redis.call('ZRANGE', line, 0, 0)[1]
    if not first then
      redis.call('HDEL', session, 'h', 'u', 'g', 't', 'e', 'i', 'j')
      return nil, nil, now
    end
    redis.call('ZREM', line, first)
    local process = processof(first)
    local alive = dead[process] and 0 or tonumber(redis.call('ZSCORE', beats, process) or 0)
    dead[process] = alive <= now
    if not dead[process] then
      number, till = math.max((number or 0) + 1, now), alive
      redis.call('HDEL', session, 't', 'e', 'i', 'j')
      redis.call('HSET', session, 'h', first, 'n', whole(number), 'u', whole(till), 'g', whole(now))
      if first ~= asking then tell(channel, session, first, 'granted') end
      return first, number, till
    end
  end
end

-- Everything is forgotten when it has meant nothing for a while.
local function keep(session, line, lease)
  local millis = whole(math.ceil(lease / 1000) * 3 + 5000)
  redis.call('PEXPIRE', session, millis)
  redis.call('PEXPIRE', line, millis)
end

local function beat(beats, process, lease)
  redis.call('ZADD', beats, whole(now + lease), process)
  redis.call('ZREMRANGEBYSCORE', beats, '-inf', '(' .. whole(now - lease))
  redis.call('PEXPIRE', beats, whole(math.ceil(lease / 1000) * 3 + 5000))
end
