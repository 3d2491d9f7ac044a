-- extend: moves the deadline of an open reservation, never to an earlier time
-- KEYS:
-- ARGV: ttlMs
-- reply: extended expiresAt balance reserved
-- reply: gone balance reserved
commands.extend = function(id)
  local ttl = number('ttlMs')
  local kind, since, ceiling, lasts = find(id)
  if kind ~= 'o' then return 'gone ' .. balance .. ' ' .. reserved end
  local expires_at = max(since + lasts, now + ttl)
  put(id, 'o' .. since .. ' ' .. ceiling .. format(' %d', expires_at - since))
  return 'extended ' .. format('%d', expires_at) .. ' ' .. balance .. ' ' .. reserved
end
