-- A batch: the commands of each account in their order, one account after the other.
-- KEYS:
-- ARGV: commands kind
--   for each account the number of its commands; then for each of them the id of its reservation, '' where it has
--   none; then for each its kind, and behind it what its own file reads
-- A reply with a long text is the two of them.
local replies = {}
while args_read < #ARGV do
  local count = number('commands')
  local first, last = args_read + 1, args_read + count
  args_read = last
  load(first, last)
  for i = first, last do
    if sweep_at ~= '0' and now >= sweep_at + 0 then rarely.sweep() end
    local reply, long = commands[text('kind')](ARGV[i])
    replies[#replies + 1] = long and { reply, long } or reply
  end
  flush()
end
return replies
