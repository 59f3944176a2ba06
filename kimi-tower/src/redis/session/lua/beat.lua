-- Says that a process is alive, and has these turns.
--
-- KEYS  beats, epoch, then for each turn: session
-- ARGV  1 the process   2 the lease   then for each turn: who has it, `process.ticket`, and its number
-- Returns for each turn 1 if it is leased again, 0 if it is not this one's any more.
--
-- A session that is not known is one that the server has forgotten: it is as its holder says. One that
-- was given back is known, for longer than what was sent before can take.

local beats, epoch = KEYS[1], KEYS[2]
local lease = tonumber(ARGV[2])
beat(beats, ARGV[1], lease)
sinceof(epoch, lease)
local leased = {}
for index = 3, #KEYS do
  local session, me, number = KEYS[index], ARGV[index * 2 - 3], ARGV[index * 2 - 2]
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
  leased[#leased + 1] = ismine and 1 or 0
end
return leased
