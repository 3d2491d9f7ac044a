-- refund: gives back of a charge, once an id, to the grants it came from
-- KEYS: refunds
-- ARGV: refund entry amount reason details
-- reply: refunded amount replayed? left balance reserved
-- reply: refund_overflow balance reserved
-- reply: refund_conflict amount balance reserved
-- reply: refund_too_high left balance reserved
-- reply: no_charge balance reserved

-- spent_by(charged, text): what a charge took, the last first; `text` is what its entry says of lots
local function spent_by(charged, text)
  local spent, plain = {}, charged
  for grant, amount, priority, ends, source in string.gmatch(text, '([^,:]+):(%d+):(%d+):(%d+):([^,]*)') do
    spent[#spent + 1] = { grant = grant, amount = amount + 0, priority = priority + 0, ends = ends + 0, source = source }
    plain = plain - amount
  end
  local all, reversed = lots.in_turn(spent, { grant = '', amount = plain, ends = 0 }), {}
  for i, share in ipairs(all) do reversed[#all - i + 1] = share end
  return reversed
end

-- given_back(spent, before, amount): what goes back to lots that have not ended, when `before` was given back by others
local function given_back(spent, before, amount)
  local given, back = {}, {}
  for _, share in ipairs(lots.first_of(spent, before)) do given[share.grant] = share.amount end
  for _, share in ipairs(lots.first_of(spent, before + amount)) do
    share.amount = share.amount - (given[share.grant] or 0)
    if share.amount > 0 and share.grant ~= '' and (share.ends == 0 or share.ends > now) then back[#back + 1] = share end
  end
  return back
end

-- count_refund(product, amount): counts what was given back of a charge
local function count_refund(product, amount)
  if usage_day ~= TODAY or not usage then rarely.open_day() end
  local name = ' ' .. product .. '='
  local _, at = string.find(usage, name, 1, true)
  if not at then
    usage = usage .. name .. '0:0'
    at = #usage - 3
  end
  local used, refunded, rest = match(usage, '^(%d+:%d+):?(%d*)(.*)', at + 1)
  usage = string.sub(usage, 1, at) .. used .. format(':%d', (refunded == '' and 0 or refunded) + amount) .. rest
  change(USAGE_TODAY, usage)
end

commands.refund = function(id)
  local refunds = key('refunds')
  local refund, entry, amount, reason, details = text('refund'), text('entry'), number('amount'), text('reason'), text('details')
  flush() -- the charge may have been posted in this batch
  local place = tonumber(match(entry, '^[1-9]%d*$'))
  local line = place and call('LINDEX', journal_key, format('%d', place - 1)) or ''
  local charged, reference, product, lots_spent = match(line, '^charge %d+ %-?(%d+) %d+ %d+ (%S*) (%S*) ?(%S*)')
  if reference ~= id then return 'no_charge ' .. balance .. ' ' .. reserved end

  local known = call('HMGET', refunds, id, id .. ' ' .. refund)
  local before, earlier = (known[1] or '0') + 0, known[2] and known[2] + 0
  local left = max(0, charged - before) -- a reservation that was forgotten may have been charged again
  if amount == 0 then amount = earlier or left end
  if earlier == amount then return 'refunded ' .. format('%d', amount) .. ' ' .. '1' .. ' ' .. format('%d', left) .. ' ' .. balance .. ' ' .. reserved end
  if earlier then return 'refund_conflict ' .. format('%d', earlier) .. ' ' .. balance .. ' ' .. reserved end
  if amount > left or amount == 0 then return 'refund_too_high ' .. format('%d', left) .. ' ' .. balance .. ' ' .. reserved end
  if balance + amount > MAX_AMOUNT then return 'refund_overflow ' .. balance .. ' ' .. reserved end

  local back = given_back(spent_by(charged + 0, lots_spent), before, amount)
  post('refund', format('%d', amount), '0', id, reason, NOW, lots.terms_of(back), details)
  for _, share in ipairs(back) do lots.restore(share) end
  count_refund(product, amount)
  flush() -- before it is remembered: a refund that is remembered has been posted
  call('HSET', refunds, id, format('%d', before + amount), id .. ' ' .. refund, format('%d', amount))
  return 'refunded ' .. format('%d', amount) .. ' ' .. '0' .. ' ' .. format('%d', left - amount) .. ' ' .. balance .. ' ' .. reserved
end
