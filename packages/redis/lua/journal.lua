-- post(account, kind, amount, shortfall, reference, label): the one place where a balance changes, by an entry
--
-- An entry is `kind at amount balance shortfall reference label` at its place in the account's list: the n-th
-- has the id n. Its texts are percent-encoded, so a space ends them.
local function post(account, kind, amount, shortfall, reference, label)
  account.balance = account.balance + amount
  account.entries[#account.entries + 1] = string.format('%s %.0f %.0f %.0f %.0f %s %s',
    kind, now, amount, account.balance, shortfall, reference, label)
end
