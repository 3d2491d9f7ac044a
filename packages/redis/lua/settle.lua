-- settle: ends a reservation with what the call cost; one that has expired is charged from what is available
-- KEYS: journal
-- ARGV: reservation ceiling charge product firstSentAt
-- reply: unknown now balance reserved
--   otherwise as close.lua
commands.settle = function(account)
  account.journal = key('journal')
  local id, ceiling, charge = text('reservation'), number('ceiling'), number('charge')
  local product, first_sent_at = text('product'), number('firstSentAt')
  local known = find(account, id)
  if known and not known.open then return closed_reply(account, known) end
  if not known and now - first_sent_at >= CLOSED_KEPT_MS then
    return string.format('unknown %.0f %.0f %.0f', now, account.balance, account.reserved)
  end

  if known then
    ceiling = known.ceiling
    account.reserved = account.reserved - ceiling
  end
  local owed = math.min(charge, ceiling)
  local taken = known and owed or math.min(owed, available(account))
  if owed > 0 then post(account, 'charge', -taken, owed - taken, id, product) end
  count_usage(account, product, taken)
  return close(account, id, { kind = known and 's' or 'l', ceiling = ceiling, charge = taken, shortfall = owed - taken })
end
