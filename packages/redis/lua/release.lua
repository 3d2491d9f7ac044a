-- release: ends a reservation at zero; an id that was never reserved is closed too
-- KEYS:
-- ARGV: reservation
--   otherwise as close.lua
commands.release = function(account)
  local id = text('reservation')
  local known = find(account, id)
  if known and not known.open then return closed_reply(account, known) end
  local ceiling = 0
  if known then
    ceiling = known.ceiling
    account.reserved = account.reserved - ceiling
  end
  return close(account, id, { kind = 'r', ceiling = ceiling, charge = 0, shortfall = 0 })
end
