-- Writes a call's entry, unless another node has the call.
-- KEYS: the entry. ARGV: node, tenant, since in ms, life in ms. Returns 1, or 0 where another node has it.
local node = redis.call('HGET', KEYS[1], 'node')
if node and node ~= ARGV[1] then
  return 0
end
redis.call('HSET', KEYS[1], 'node', ARGV[1], 'tenant', ARGV[2], 'since', ARGV[3])
redis.call('PEXPIRE', KEYS[1], ARGV[4])
return 1
