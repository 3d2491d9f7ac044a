-- Grants that end or are used out of turn, see core's lots.ts: the field :lots has ` grant=left:held:priority:expiresAt:source`
-- for each, in burn order. All other credits are plain. A share is an amount of a lot, or of the plain credits ('').

-- lots.all(): the account's, in burn order
function lots.all()
  if lot_list then return lot_list end
  lot_list = {}
  for grant, left, held, priority, ends, source in string.gmatch(lots_text, ' (%S-)=(%d+):(%d+):(%d+):(%d+):(%S*)') do
    lot_list[#lot_list + 1] = { grant = grant, left = left + 0, held = held + 0, priority = priority + 0, ends = ends + 0, source = source }
  end
  return lot_list
end

-- put_lots(): notes that they changed; those that are used up are forgotten
local function put_lots()
  local kept, texts = {}, {}
  for _, lot in ipairs(lot_list) do
    if lot.left > 0 then
      kept[#kept + 1] = lot
      texts[#texts + 1] = ' ' .. lot.grant .. format('=%d:%d:%d:%d:', lot.left, lot.held, lot.priority, lot.ends) .. lot.source
    end
  end
  lot_list, lots_text = kept, table.concat(texts)
  change(':lots', lots_text)
end

-- total(list, field): the sum of it
local function total(list, field)
  local sum = 0
  for _, item in ipairs(list) do sum = sum + item[field] end
  return sum
end

-- lots.in_turn(list, plain): the list of what has a priority, and `plain` where its turn is
function lots.in_turn(list, plain)
  local all, placed = {}, false
  for _, item in ipairs(list) do
    if item.priority > DEFAULT_PRIORITY and not placed then
      placed = true
      all[#all + 1] = plain
    end
    all[#all + 1] = item
  end
  if not placed then all[#all + 1] = plain end
  return all
end

-- lots.first_of(shares, amount): the first credits of them
function lots.first_of(shares, amount)
  local taken = {}
  for _, share in ipairs(shares) do
    local part = min(amount, share.amount)
    amount = amount - part
    if part > 0 then
      local copy = {}
      for name, value in pairs(share) do copy[name] = value end
      copy.amount = part
      taken[#taken + 1] = copy
    end
  end
  return taken
end

-- free_shares(amount): which credits it would be taken from, in burn order
local function free_shares(amount)
  local plain = balance - total(lots.all(), 'left') - (reserved - total(lot_list, 'held'))
  local free = {}
  for i, lot in ipairs(lots.in_turn(lot_list, { grant = '', left = plain, held = 0 })) do free[i] = { grant = lot.grant, amount = lot.left - lot.held } end
  return lots.first_of(free, amount)
end

-- read_shares(text): those of reservations, `grant:amount` with commas, by grant
local function read_shares(text)
  local shares = {}
  for grant, amount in string.gmatch(text, '([^,:]+):(%d+)') do shares[grant] = (shares[grant] or 0) + amount end
  return shares
end

-- share_text(shares): those of lots, as a reservation keeps them
local function share_text(shares)
  local texts = {}
  for _, share in ipairs(shares) do
    if share.grant ~= '' then texts[#texts + 1] = share.grant .. format(':%d', share.amount) end
  end
  return table.concat(texts, ',')
end

-- held_shares(ceiling, text): which credits a reservation holds, in burn order
local function held_shares(ceiling, text)
  local by_grant, held = read_shares(text), {}
  local plain = ceiling + 0
  for _, amount in pairs(by_grant) do plain = plain - amount end
  for i, lot in ipairs(lots.in_turn(lots.all(), { grant = '' })) do
    held[i] = { grant = lot.grant, amount = lot.grant == '' and plain or by_grant[lot.grant] or 0 }
  end
  return held
end

-- lots.shares_of(amount, ceiling, text): which credits it is taken from, in burn order: of a reservation's where there is one
function lots.shares_of(amount, ceiling, text)
  return ceiling and lots.first_of(held_shares(ceiling, text), amount) or free_shares(amount)
end

-- lots.change(field, shares, sign): changes what is left of lots, or held of them, by shares in their text
function lots.change(field, shares, sign)
  if shares == '' then return end
  local by_grant = read_shares(shares)
  for _, lot in ipairs(lots.all()) do lot[field] = lot[field] + sign * (by_grant[lot.grant] or 0) end
  put_lots()
end

-- lots.hold(amount): sets it aside; the shares of it, in their text
function lots.hold(amount)
  local shares = share_text(free_shares(amount))
  lots.change('held', shares, 1)
  return shares
end

-- lots.terms_of(shares): what a ledger entry says of them, `grant:amount:priority:expiresAt:source` with commas
function lots.terms_of(shares)
  local texts = {}
  for i, share in ipairs(shares) do texts[i] = share.grant .. format(':%d:%d:%d:', share.amount, share.priority, share.ends) .. share.source end
  return table.concat(texts, ',')
end

-- lots.spend(shares): takes them from their lots; what a ledger entry says of them
function lots.spend(shares)
  local text = share_text(shares)
  local by_grant, spent = read_shares(text), {}
  for _, lot in ipairs(lots.all()) do
    local amount = by_grant[lot.grant]
    if amount then spent[#spent + 1] = { grant = lot.grant, amount = amount, priority = lot.priority, ends = lot.ends, source = lot.source } end
  end
  lots.change('left', text, -1)
  return lots.terms_of(spent)
end

-- lots.expire(time, at): takes away what has ended by then and is not held; `at` where that is later than the end of its lot: it was given back
function lots.expire(time, at)
  local ended = {}
  for i, lot in ipairs(lots.all()) do
    if lot.ends > 0 and lot.ends <= time and lot.left > lot.held then ended[#ended + 1] = { lot = lot, place = i } end
  end
  if #ended == 0 then return end
  table.sort(ended, function(a, b)
    if a.lot.ends ~= b.lot.ends then return a.lot.ends < b.lot.ends end
    return a.place < b.place
  end)
  for _, item in ipairs(ended) do
    local lot = item.lot
    post('expiry', format('-%d', lot.left - lot.held), '0', lot.grant, lot.source, at or format('%d', lot.ends))
    lot.left = lot.held
  end
  put_lots()
end

-- lots.keep_apart(grant, amount, priority, ends, source, time): makes it a lot
function lots.keep_apart(grant, amount, priority, ends, source, time)
  local place = 1
  for i, lot in ipairs(lots.all()) do
    local sooner = (lot.ends == 0 and math.huge or lot.ends) <= (ends == 0 and math.huge or ends)
    if lot.priority < priority or (lot.priority == priority and sooner) then place = i + 1 end
  end
  table.insert(lot_list, place, { grant = grant, left = amount, held = 0, priority = priority, ends = ends, source = source })
  put_lots()
  if ends > 0 then sweep_by(ends) end
  lots.expire(time, format('%d', time))
end

-- lots.add(grant, amount, priority, ends, source, reason, time): credits come in, with an entry that says of which kind they are; those that end or are used
-- out of turn are a lot
function lots.add(grant, amount, priority, ends, source, reason, time)
  post('grant', amount, '0', grant, reason, format('%d', time), grant .. ':' .. amount .. format(':%d:%d:', priority, ends) .. source)
  if priority ~= DEFAULT_PRIORITY or ends ~= 0 then lots.keep_apart(grant, amount + 0, priority, ends, source, time) end
  alerts.rearm()
end

-- lots.restore(share): puts credits back into their lot
function lots.restore(share)
  for _, lot in ipairs(lots.all()) do
    if lot.grant == share.grant then
      lot.left = lot.left + share.amount
      return put_lots()
    end
  end
  lots.keep_apart(share.grant, share.amount, share.priority, share.ends, share.source, now)
end

-- lots.next_end(): when the next lot ends, also one that is held: it may come free before; 0 for none
function lots.next_end()
  local time = 0
  for _, lot in ipairs(lots.all()) do
    if lot.ends > now and (time == 0 or lot.ends < time) then time = lot.ends end
  end
  return time
end
