-- The ledger's limits, as in core's limits.ts and lots.ts. Amounts in micro-credits, times in ms.
local MAX_AMOUNT = 9007199254740991
local CLOSED_KEPT_MS = 120000
local RECORD_KEPT_MS = 86400000
local USAGE_DAYS = 30
local DAY_MS = 86400000
local DEFAULT_PRIORITY = 50
