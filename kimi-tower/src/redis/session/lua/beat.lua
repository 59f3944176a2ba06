-- Says that a process is alive, and has these turns.
--
-- KEYS  beats, epoch, then for each turn: session, line
-- ARGV  1 the process   2 the lease   3 what the names of channels begin with
--       then for each turn: who has it, `process.ticket`, and its number
--       last: until when it is waited for
-- Returns {'late', now}, or {'leased', now} and for each turn 0 if it is not this one's any more. Else it
-- is leased again: 1, or why it is to end, as it was told: `superseded`, `max_hold` or `idle:<ms>`.
--
-- A session that is not known is one that the server has forgotten: it is as its holder says. One that
-- was given back is known, for longer than what was sent before can take.

local beats, epoch = KEYS[1], KEYS[2]
local lease = tonumber(ARGV[2])
-- A process that has died since would be alive again.
if islate() then return {'late', now} end

beat(beats, ARGV[1], lease)
sinceof(epoch, lease)
-- As long as somebody beats, it is known.
redis.call('PEXPIRE', epoch, 86400000)
-- Whoever does not hear this hears nothing of what is told; turns are leased all the same.
redis.pcall('PUBLISH', ARGV[3] .. ARGV[1], 'beat')

-- What was told may not have been heard.
local function told(session, line)
  local asked = redis.call('HMGET', session, 't', 'i', 'j')
  if asked[1] then return asked[1] end
  -- Whoever wants it asks again each second as long as it waits.
  if asked[2] and tonumber(asked[2]) + 2000000 > now and redis.call('ZCARD', line) > 0 then
    return 'idle:' .. asked[3]
  end
  return 1
end

local leased = {'leased', now}
for index = 3, #KEYS, 2 do
  local session, line, me, number = KEYS[index], KEYS[index + 1], ARGV[index + 1], ARGV[index + 2]
  local known = redis.call('HMGET', session, 'h', 'n')
  local ismine = known[1] == me
  if not known[1] and not known[2] then
    redis.call('HSET', session, 'h', me, 'n', number, 'g', whole(now))
    ismine = true
  end
  if ismine then
    redis.call('HSET', session, 'u', whole(now + lease))
    keep(session, session, lease)
  end
  leased[#leased + 1] = ismine and told(session, line) or 0
end
return leased
