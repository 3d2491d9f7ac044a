-- extend: moves the deadline of an open reservation, never to an earlier time
-- KEYS:
-- ARGV: ttlMs
-- reply: extended expiresAt balance reserved
-- reply: gone balance reserved
commands.extend = function(id)
  local expires_at = prolong(id, now + number('ttlMs'))
  if not expires_at then return 'gone ' .. balance .. ' ' .. reserved end
  return 'extended ' .. format('%d', expires_at) .. ' ' .. balance .. ' ' .. reserved
end
