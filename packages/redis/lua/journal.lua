-- post(kind, amount, shortfall, reference, label, at, of_lots, details): the one place where a balance changes, by an entry
--
-- An entry is `kind at amount balance shortfall reference label lots details`, without the last ones where there are none, at its place in the account's
-- list: the n-th has the id n. Its texts are percent-encoded, so a space ends them; except the details.
local function post(kind, amount, shortfall, reference, label, at, of_lots, details)
  balance = format('%d', balance + amount)
  change(':balance', balance)
  posted = posted + 1
  entries[posted] = kind .. ' ' .. (at or NOW) .. ' ' .. amount .. ' ' .. balance .. ' ' .. shortfall .. ' ' .. reference .. ' ' .. label
  if details and details ~= '' then entries[posted] = entries[posted] .. ' ' .. (of_lots or '') .. ' ' .. details
  elseif of_lots and of_lots ~= '' then entries[posted] = entries[posted] .. ' ' .. of_lots end
end
