-- balance: how the account stands
-- KEYS:
-- ARGV:
-- reply: balance balance reserved
commands.balance = function(account)
  return string.format('balance %.0f %.0f', account.balance, account.reserved)
end
