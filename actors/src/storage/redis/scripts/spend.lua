-- The generic cell rate algorithm (ITU-T I.371): what is kept is the microsecond at which the limit is empty again.
-- KEYS: the limit. ARGV: µs per request, µs per burst. Returns { 1, requests left }, or { 0, ms to wait }.
local time = redis.call('TIME')
local now = time[1] * 1000000 + time[2]
local interval, burst = tonumber(ARGV[1]), tonumber(ARGV[2])
local next = math.max(now, tonumber(redis.call('GET', KEYS[1]) or 0)) + interval
local over = next - now - burst
if over > 0 then
  return { 0, math.max(1, math.ceil(over / 1000)) }
end
redis.call('SET', KEYS[1], string.format('%.0f', next), 'PX', math.max(1, math.ceil((next - now) / 1000)))
return { 1, math.floor(-over / interval) }
