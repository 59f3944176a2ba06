-- Gives back turns and places: whoever has neither any more changes nothing.
--
-- KEYS  beats, epoch, then for each: session, line
-- ARGV  1 the lease   2 what the names of channels begin with   then for each: who, `process.ticket`
-- Returns how many turns were given back.

local beats, epoch = KEYS[1], KEYS[2]
local lease, channel = tonumber(ARGV[1]), ARGV[2]
local freed = 0
for index = 3, #KEYS, 2 do
  local session, line, me = KEYS[index], KEYS[index + 1], ARGV[(index + 3) / 2]
  redis.call('ZREM', line, me)
  if redis.call('HGET', session, 'h') == me then
    -- The number stays: see beat.lua.
    redis.call('HDEL', session, 'h', 'u', 'g', 't', 'e', 'i', 'j')
    promote(session, line, beats, epoch, lease, channel)
    keep(session, line, lease)
    freed = freed + 1
  end
end
return freed
