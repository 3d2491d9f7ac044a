-- reserve: sets `ceiling` aside, or says that the account can't cover it
-- KEYS: journal
-- ARGV: reservation ceiling allowance ttlMs
-- reply: reserved reservedAt expiresAt balance reserved
-- reply: insufficient required balance reserved
-- reply: conflict balance reserved

local function reserved_reply(account, reserved_at, expires_at)
  return string.format('reserved %.0f %.0f %.0f %.0f', reserved_at, expires_at, account.balance, account.reserved)
end

-- The first billable call grants the allowance, on top of whatever was granted before.
local function provision(account, allowance)
  if account.provisioned == '1' then return end
  account.provisioned = '1'
  if allowance > 0 then post(account, 'grant', allowance, 0, 'allowance', 'allowance') end
end

commands.reserve = function(account)
  account.journal = key('journal')
  local id, ceiling, allowance, ttl = text('reservation'), number('ceiling'), number('allowance'), number('ttlMs')
  local known = find(account, id)
  if known then
    if known.open and known.ceiling == ceiling then
      return reserved_reply(account, known.reserved_at, known.expires_at)
    end
    return string.format('conflict %.0f %.0f', account.balance, account.reserved)
  end
  provision(account, allowance)
  if available(account) < ceiling then
    return string.format('insufficient %.0f %.0f %.0f', ceiling, account.balance, account.reserved)
  end
  local expires_at = now + ttl
  account.reserved = account.reserved + ceiling
  account.sweep_at = earliest(account.sweep_at, expires_at)
  put_open(account, id, ceiling, now, expires_at)
  return reserved_reply(account, now, expires_at)
end
