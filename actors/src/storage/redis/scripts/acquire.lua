-- Takes a lease with a token greater than every one before: one more than the last, and at least the time of day
-- in ms, so that tokens grow even where the last one is forgotten.
-- KEYS: the lease, its last token. ARGV: owner, life in ms, how long the last token is remembered in ms.
-- Returns { 1, token }, or { 0, holder, ms left }.
local held = redis.call('HMGET', KEYS[1], 'owner', 'token')
if held[1] then
  if held[1] == ARGV[1] then
    redis.call('PEXPIRE', KEYS[1], ARGV[2])
    return { 1, tonumber(held[2]) }
  end
  return { 0, held[1], math.max(1, redis.call('PTTL', KEYS[1])) }
end
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local token = math.max(now, tonumber(redis.call('GET', KEYS[2]) or 0) + 1)
-- A number of this size is written in full, not as 1.7e+12.
local text = string.format('%.0f', token)
redis.call('SET', KEYS[2], text, 'PX', ARGV[3])
redis.call('HSET', KEYS[1], 'owner', ARGV[1], 'token', text)
redis.call('PEXPIRE', KEYS[1], ARGV[2])
return { 1, token }
