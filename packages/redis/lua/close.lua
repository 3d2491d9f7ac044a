-- closed_reply(account, closed): how a reservation ended
-- reply: settled ceiling charge shortfall late? balance reserved
-- reply: released ceiling charge shortfall late? balance reserved
local function closed_reply(account, closed)
  local form = closed.kind == 'r' and 'released %.0f %.0f %.0f %.0f %.0f %.0f' or 'settled %.0f %.0f %.0f %.0f %.0f %.0f'
  local late = closed.kind == 'l' and 1 or 0
  return string.format(form, closed.ceiling, closed.charge, closed.shortfall, late, account.balance, account.reserved)
end

-- close(account, id, closed): remembers how it ended, for CLOSED_KEPT_MS
local function close(account, id, closed)
  account.sweep_at = earliest(account.sweep_at, now + CLOSED_KEPT_MS)
  put_closed(account, id, closed)
  return closed_reply(account, closed)
end
