"""The scripts that keep the state of bundles in Redis. Each is one indivisible change, in the time of Redis.

All take the same keys, in the order of `PARTS`. A lease is `token until counted worker`; an ended bundle is the token
that ended it, of `TOKEN_LENGTH`, and its outcome.
"""

from __future__ import annotations

from typing import Final

#: What is kept of a render beside its board and its events.
PARTS: Final = ("state", "bundles", "leases", "ended", "attempts", "refusals", "returned")

TOKEN_LENGTH: Final = 32

_COMMON = """
local state, bundles, leases, ended, attempts, refusals = KEYS[1], KEYS[2], KEYS[3], KEYS[4], KEYS[5], KEYS[6]
local returned = KEYS[7]
local clock = redis.call('TIME')
local now = clock[1] * 1000 + math.floor(clock[2] / 1000)
local function parsed(lease)
  if not lease then return nil end
  local token, till, counted, worker = string.match(lease, '^(%S+) (%d+) (%d) (.*)$')
  return {token = token, till = tonumber(till), counted = counted == '1', worker = worker}
end
local function lease_of(id) return parsed(redis.call('HGET', leases, id)) end
local function keep(id, lease)
  local counted = lease.counted and '1' or '0'
  local till = string.format('%.0f', lease.till)
  redis.call('HSET', leases, id, lease.token .. ' ' .. till .. ' ' .. counted .. ' ' .. lease.worker)
end
local function origin_of(id) return string.sub(id, string.find(id, '/', 1, true) + 1) end
local function generation_of(id) return tonumber(string.sub(id, 1, string.find(id, '/', 1, true) - 1)) end
local function lasting(ttl, ...)
  for _, key in ipairs({...}) do redis.call('PEXPIRE', key, ttl) end
end
local function spare(id, lease)
  if lease.counted then
    lease.counted = false
    if redis.call('HINCRBY', attempts, origin_of(id), -1) <= 0 then redis.call('HDEL', attempts, origin_of(id)) end
  end
end
local generation = tonumber(redis.call('HGET', state, 'generation'))
local stopped = redis.call('HEXISTS', state, 'stopped') == 1
"""

#: ARGV: ttl, generation, then id and content of each. 1 if they are open now. What a newer generation interrupts while
#: somebody has it killed nobody, so that is no attempt.
RELEASE = (
    _COMMON
    + """
local ttl, wanted = ARGV[1], tonumber(ARGV[2])
if stopped or (generation and generation > wanted) then return 0 end
if generation and generation < wanted then
  local held = redis.call('HGETALL', leases)
  for i = 1, #held, 2 do
    local lease = parsed(held[i + 1])
    if lease.till > now then spare(held[i], lease) end
  end
  redis.call('DEL', bundles, leases, ended, refusals, returned)
end
redis.call('HSET', state, 'generation', ARGV[2])
for i = 3, #ARGV, 2 do
  local id, content = ARGV[i], ARGV[i + 1]
  local lease = lease_of(id)
  if not (lease and lease.till > now and redis.call('HGET', bundles, id) == content) then
    redis.call('HSET', bundles, id, content)
    redis.call('HDEL', ended, id)
    redis.call('HDEL', leases, id)
    redis.call('HDEL', refusals, id)
  end
end
lasting(ttl, state, bundles, attempts)
return 1
"""
)

#: ARGV: ttl, token, milliseconds, worker, then ids. False if the render is over, else id and content of each.
LEASE = (
    _COMMON
    + """
if stopped or not generation then return false end
local granted = {}
for i = 5, #ARGV do
  local id, lease = ARGV[i], lease_of(ARGV[i])
  if not lease or lease.till <= now or lease.token == ARGV[2] then
    local content = redis.call('HGET', bundles, id)
    if content then
      keep(id, {token = ARGV[2], till = now + ARGV[3], counted = lease and lease.token == ARGV[2] and lease.counted,
                worker = ARGV[4]})
      granted[#granted + 1] = id
      granted[#granted + 1] = content
    end
  end
end
lasting(ARGV[1], leases)
return granted
"""
)

#: ARGV: ttl, token, milliseconds, most attempts, 1 if alone, number of ids, ids, then the survived. Verdicts on the
#: first ids.
BEGIN = (
    _COMMON
    + """
local token, alone, last = ARGV[2], ARGV[5] == '1', 6 + tonumber(ARGV[6])
if stopped or not generation or generation_of(ARGV[7]) < generation then return {'stop'} end
for i = last + 1, #ARGV do
  local lease = lease_of(ARGV[i])
  if lease and lease.token == token and lease.counted then
    spare(ARGV[i], lease)
    keep(ARGV[i], lease)
  end
end
local verdicts = {}
for i = 7, last do
  local id, lease, before = ARGV[i], lease_of(ARGV[i]), 0
  local ours = lease and lease.token == token
  if ours then
    before = tonumber(redis.call('HGET', attempts, origin_of(id)) or '0') - (lease.counted and 1 or 0)
  end
  if i > 7 and (verdicts[#verdicts] ~= 'go' or not ours or before > 0) then break end
  local verdict = 'stale'
  if ours then
    lease.till = now + ARGV[3]
    if before >= tonumber(ARGV[4]) then
      verdict = 'quarantined'
    elseif before > 0 and not alone then
      verdict = 'alone'
    else
      verdict = 'go'
      if not lease.counted then
        lease.counted = true
        redis.call('HINCRBY', attempts, origin_of(id), 1)
      end
    end
    keep(id, lease)
  end
  verdicts[#verdicts + 1] = verdict
end
lasting(ARGV[1], attempts)
return verdicts
"""
)

#: KEYS: also the board and the events. ARGV: ttl, token, id, outcome, number of exports, field and value of each, then
#: the events. 1 if the bundle has ended by this token.
FINISH = (
    _COMMON
    + """
local board, events = KEYS[8], KEYS[9]
local ttl, token, id = ARGV[1], ARGV[2], ARGV[3]
if stopped or not generation then return 0 end
local lease = lease_of(id)
if not lease or lease.token ~= token then
  local before = redis.call('HGET', ended, id)
  return before and string.sub(before, 1, #token) == token and 1 or 0
end
redis.call('HDEL', bundles, id)
redis.call('HDEL', leases, id)
redis.call('HDEL', refusals, id)
redis.call('HDEL', returned, id)
redis.call('HDEL', attempts, origin_of(id))
redis.call('HSET', ended, id, token .. ARGV[4])
local last = 5 + 2 * tonumber(ARGV[5])
for i = 6, last, 2 do redis.call('HSET', board, ARGV[i], ARGV[i + 1]) end
local at = string.format('%.0f', now)
for i = last + 1, #ARGV do
  redis.call('XADD', events, '0-*', 'event', ARGV[i], 'at', at, 'worker', lease.worker)
end
lasting(ttl, ended, board, events)
if redis.call('EXISTS', bundles) == 0 then
  local farm, render = string.match(state, '^(.*):{(.*)}:')
  redis.call('PUBLISH', farm .. ':news', 'ended ' .. render)
end
return 1
"""
)

#: KEYS: also the events. ARGV: ttl, worker, event.
TELL = (
    _COMMON
    + """
local events = KEYS[8]
if stopped or not generation then return 0 end
redis.call('XADD', events, '0-*', 'event', ARGV[3], 'at', string.format('%.0f', now), 'worker', ARGV[2])
lasting(ARGV[1], events)
return 1
"""
)

#: ARGV: ttl, token, reason, then ids.
HAND_BACK = (
    _COMMON
    + """
for i = 4, #ARGV do
  local lease = lease_of(ARGV[i])
  if lease and lease.token == ARGV[2] then
    spare(ARGV[i], lease)
    redis.call('HDEL', leases, ARGV[i])
    redis.call('HINCRBY', returned, ARGV[i], 1)
    if ARGV[3] ~= '' then redis.call('HSET', refusals, ARGV[i], ARGV[3]) end
  end
end
lasting(ARGV[1], refusals, returned)
return 1
"""
)

#: ARGV: ttl, then ids.
LEAVE = (
    _COMMON
    + """
for i = 2, #ARGV do
  local lease = lease_of(ARGV[i])
  if not (lease and lease.till > now) and redis.call('HEXISTS', bundles, ARGV[i]) == 1 then
    redis.call('HINCRBY', returned, ARGV[i], 1)
  end
end
lasting(ARGV[1], returned)
return 1
"""
)

#: ARGV: ttl, token, milliseconds, then ids. The verdict.
RENEW = (
    _COMMON
    + """
if stopped or not generation then return 'stop' end
local held, older = false, false
for i = 4, #ARGV do
  local lease = lease_of(ARGV[i])
  if lease and lease.token == ARGV[2] then
    lease.till = now + ARGV[3]
    keep(ARGV[i], lease)
    held = true
  end
  older = older or generation_of(ARGV[i]) < generation
end
lasting(ARGV[1], unpack(KEYS))
return held and 'go' or older and 'stop' or 'stale'
"""
)

#: ARGV: ids. Those that are open and in nobody's hands.
UNCLAIMED = (
    _COMMON
    + """
local found = {}
for i = 1, #ARGV do
  local lease = lease_of(ARGV[i])
  if not (lease and lease.till > now) and redis.call('HEXISTS', bundles, ARGV[i]) == 1 then
    found[#found + 1] = ARGV[i]
  end
end
return found
"""
)

#: How many bundles are in somebody's hands.
IN_HAND = (
    _COMMON
    + """
local found = 0
for _, lease in ipairs(redis.call('HVALS', leases)) do
  if parsed(lease).till > now then found = found + 1 end
end
return found
"""
)

#: ARGV: ids. Those that neither are open nor have ended.
UNKNOWN = (
    _COMMON
    + """
local found = {}
for i = 1, #ARGV do
  if redis.call('HEXISTS', bundles, ARGV[i]) == 0 and redis.call('HEXISTS', ended, ARGV[i]) == 0 then
    found[#found + 1] = ARGV[i]
  end
end
return found
"""
)

_OVER = (
    _COMMON
    + """
redis.call('HSETNX', state, 'generation', '0')
redis.call('HSET', state, 'stopped', '1')
redis.call('DEL', bundles, leases, ended, attempts, refusals, returned)
lasting(ARGV[1], state)
"""
)

#: ARGV: ttl. All that stays is that it is over.
CLOSE = _OVER + "return 1"

#: KEYS: also the board, which goes, too. ARGV: ttl.
STOP = _OVER + "redis.call('DEL', KEYS[8])\nreturn 1"
