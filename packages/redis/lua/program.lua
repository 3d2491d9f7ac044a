-- A batch: the commands of each account in their order, one account after the other.
-- KEYS:
-- ARGV: commands kind
--   for each account, behind what account.lua reads, the number of its commands; for each of them its kind, and
--   behind it what its own file reads
local replies = {}
while args_read < #ARGV do
  local account = load()
  for _ = 1, number('commands') do
    sweep(account)
    replies[#replies + 1] = commands[text('kind')](account)
  end
  flush(account)
end
return replies
