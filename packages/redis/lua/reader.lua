-- Hands out KEYS and ARGV one after the other. The name each is asked for by is its name in the header of
-- the file that asks: the embed script holds one against the other.
local keys_read, args_read = 0, 0

local function key(_)
  keys_read = keys_read + 1
  return KEYS[keys_read]
end

local function text(_)
  args_read = args_read + 1
  return ARGV[args_read]
end

local function number(name)
  return tonumber(text(name))
end

-- The position of the first of `count` arguments that are read all at once.
local function skip(count)
  args_read = args_read + count
  return args_read - count + 1
end

-- What a batch can ask for, by the kind of the command: a function of the account that returns the reply.
local commands = {}
