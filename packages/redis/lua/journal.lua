-- post(kind, amount, shortfall, reference, label): the one place where a balance changes, by an entry
--
-- An entry is `kind at amount balance shortfall reference label` at its place in the account's list: the n-th
-- has the id n. Its texts are percent-encoded, so a space ends them.
local function post(kind, amount, shortfall, reference, label)
  balance = format('%d', balance + amount)
  change(':balance', balance)
  posted = posted + 1
  entries[posted] = kind .. ' ' .. NOW .. ' ' .. amount .. ' ' .. balance .. ' ' .. shortfall .. ' ' .. reference .. ' ' .. label
end
