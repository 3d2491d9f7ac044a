-- extend: moves the deadline of an open reservation, never to an earlier time
-- KEYS:
-- ARGV: reservation ttlMs
-- reply: extended expiresAt balance reserved
-- reply: gone balance reserved
commands.extend = function(account)
  local id, ttl = text('reservation'), number('ttlMs')
  local known = find(account, id)
  if not known or not known.open then return string.format('gone %.0f %.0f', account.balance, account.reserved) end
  local expires_at = math.max(known.expires_at, now + ttl)
  put_open(account, id, known.ceiling, known.reserved_at, expires_at)
  return string.format('extended %.0f %.0f %.0f', expires_at, account.balance, account.reserved)
end
