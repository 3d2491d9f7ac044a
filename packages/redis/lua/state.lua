-- The account at hand: read once (account.lua), changed in Lua by its commands, written once (flush.lua). Its hash has
-- a field a reservation and these of its own; a reservation's id is percent-encoded and so never begins with a colon:
--   :balance :reserved :provisioned :sweepAt :usageDay   as in core's AccountState; what is 0 may be missing
--   :lots      grants that end or are used out of turn, see lots.lua
--   :sweptAt   as in core's AccountState, read when it is needed
--   :topped :alerts   see alerts.lua
--   :recurring an allowance that comes again, see allowance.lua
--   :w<window>:<scope>   what is spent and held of budgets, see budgets.lua
--   :days      the days that have usage
--   :u<day>    that day's usage, see count-usage.lua
--   :exported  how many of its entries have gone on to a sink, only known to exported.lua
-- Its numbers are texts, formatted (exactly, and only) where they change.
-- ARGV: exporting
local exporting = text('exporting') == '1'
local USAGE_TODAY = ':u' .. TODAY
local account_key, journal_key, waiting_key
local balance, reserved, provisioned, sweep_at, usage_day, usage
local lots_text, lot_list -- the lots as they are written; as tables, once they are needed
local reservations, complete -- by id, false: there is none; whether all of them are at hand
local own_fields -- by name, those read besides; false: there is none
local budget_uses, budgets_changed, has_windows -- what is spent and held, by field; which of them changed; whether there is any
local deadlines, held_until -- of the open ones: when they expire, in order, and what is held until then; nil: not known
local changes, changed = {}, 0
local forgotten = {}
local entries, posted = {}, 0
local record_lines, record_texts, unwritten, unwritten_count = {}, {}, {}, 0 -- of the records, see record.lua

-- Functions that most batches do without are fields of these, made when the first one of a table is called.
local rarely, records, lots, alerts, plan = {}, {}, {}, {}, {}
