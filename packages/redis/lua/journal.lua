-- post(kind, amount, shortfall, reference, label, at, lots): the one place where a balance changes, by an entry
--
-- An entry is `kind at amount balance shortfall reference label`, and what it took from `lots` where it did, at its place in the account's list: the n-th
-- has the id n. Its texts are percent-encoded, so a space ends them.
local function post(kind, amount, shortfall, reference, label, at, lots)
  balance = format('%d', balance + amount)
  change(':balance', balance)
  posted = posted + 1
  entries[posted] = kind .. ' ' .. (at or NOW) .. ' ' .. amount .. ' ' .. balance .. ' ' .. shortfall .. ' ' .. reference .. ' ' .. label
  if lots and lots ~= '' then entries[posted] = entries[posted] .. ' ' .. lots end
end
