"""The changes of the job store that must be whole or not at all, as scripts that Redis runs.

Every script begins with `COMMON`. Keys stand below the name of the farm, which is `ARGV[1]`; times come from Redis.

    job:<render>         hash: the record
    jobs                 sorted set: every job by the time it was submitted
    jobs:active          the same of those that are not over
    jobs:ended           list: those that ended since the history was kept last
    jobs:limit           how many jobs may wait, as coordinators say
    queue:<class>        sorted set: waiting jobs in the order they came
    running              sorted set: jobs under way, by the time their lease ends
    active:<fingerprint>, song:<key>   the active job of the same work, of the same song

Whatever is asked may be asked again because its answer was lost: it is then answered the same and done once.
A job that ends tells so in its events, once, in the same script (see `quincunx_shared.farm.render_keys`).
"""

from __future__ import annotations

COMMON = """
local farm = ARGV[1]
local function key(name) return farm .. ':' .. name end
local clock = redis.call('TIME')
local now = tonumber(clock[1]) + tonumber(clock[2]) / 1000000
local stamp = string.format('%.6f', now)
local function job(render) return key('job:' .. render) end
local function get(render, field) return redis.call('HGET', job(render), field) or '' end
local function active(render)
  local state = get(render, 'state')
  return state == 'pending' or state == 'running' or state == 'paused'
end
local function leave(render)
  redis.call('ZREM', key('queue:' .. get(render, 'priority')), render)
  redis.call('ZREM', key('running'), render)
end
local function queue(render)
  redis.call('ZADD', key('queue:' .. get(render, 'priority')), get(render, 'number'), render)
end
local function tell(render, event)
  local at = string.format('%.0f', now * 1000)
  redis.call('XADD', farm .. ':{' .. render .. '}:events', '0-*', 'event', event, 'at', at)
end
local function finish(render, state, result, note)
  leave(render)
  redis.call('ZREM', key('jobs:active'), render)
  local named, song = key('active:' .. get(render, 'fingerprint')), key('song:' .. get(render, 'song_key'))
  if redis.call('GET', named) == render then redis.call('DEL', named) end
  if redis.call('GET', song) == render then redis.call('DEL', song) end
  redis.call('HSET', job(render), 'state', state, 'ended_at', stamp, 'result', result, 'note', note, 'token', '')
  if state == 'cancelled' or state == 'superseded' then
    -- Whoever still works on it tells nothing more: what follows is the last event.
    local work = farm .. ':{' .. render .. '}:state'
    redis.call('HSETNX', work, 'generation', '0')
    redis.call('HSET', work, 'stopped', '1')
    redis.call('EXPIRE', work, 3600)
  end
  tell(render, cjson.encode({event = 'RenderEnded', render = render, state = state}))
  redis.call('EXPIRE', farm .. ':{' .. render .. '}:events', 604800)
  redis.call('RPUSH', key('jobs:ended'), render)
end
local function supersede(song_key, by)
  local older = song_key ~= '' and redis.call('GET', key('song:' .. song_key)) or ''
  if older == '' or not active(older) then return '' end
  finish(older, 'superseded', '{}', 'superseded by ' .. by)
  return older
end
"""

#: farm, render, fingerprint, song_key, limit, supersede, fields… → answer, render, superseded
SUBMIT = """
local render, fingerprint, song_key = ARGV[2], ARGV[3], ARGV[4]
if redis.call('EXISTS', job(render)) == 1 then return {'accepted', render, get(render, 'supersedes')} end
local same = redis.call('GET', key('active:' .. fingerprint))
if same and active(same) then return {'existing', same, ''} end
local waiting = 0
for _, class in ipairs({'system', 'user', 'background'}) do
  waiting = waiting + redis.call('ZCARD', key('queue:' .. class))
end
local limit = math.min(tonumber(ARGV[5]), tonumber(redis.call('GET', key('jobs:limit')) or ARGV[5]))
if waiting >= limit then return {'full', tostring(waiting), tostring(limit)} end
local older = ARGV[6] == '1' and supersede(song_key, render) or ''
local number = redis.call('INCR', key('jobs:number'))
redis.call('HSET', job(render), 'render', render, 'state', 'pending', 'fingerprint', fingerprint,
  'song_key', song_key, 'submitted_at', stamp, 'number', number, 'generation', 0,
  'supersedes', older, unpack(ARGV, 7))
redis.call('ZADD', key('jobs'), stamp, render)
redis.call('ZADD', key('jobs:active'), stamp, render)
redis.call('SET', key('active:' .. fingerprint), render)
if song_key ~= '' then redis.call('SET', key('song:' .. song_key), render) end
queue(render)
redis.call('PUBLISH', key('news'), 'new ' .. render)
return {'accepted', render, older}
"""

#: farm, render, fingerprint, song_key, supersede, result, fields… → whom it supersedes; the job is over as soon as it
#: is there
DONE = """
local render, fingerprint, song_key = ARGV[2], ARGV[3], ARGV[4]
if redis.call('EXISTS', job(render)) == 1 then return get(render, 'supersedes') end
local same = redis.call('GET', key('active:' .. fingerprint))
local other = redis.call('GET', key('song:' .. song_key)) ~= same
local older = ARGV[5] == '1' and other and supersede(song_key, render) or ''
redis.call('HSET', job(render), 'render', render, 'fingerprint', fingerprint, 'song_key', song_key,
  'submitted_at', stamp, 'started_at', stamp, 'generation', 0, 'supersedes', older, unpack(ARGV, 7))
redis.call('ZADD', key('jobs'), stamp, render)
finish(render, 'succeeded', ARGV[6], '')
return older
"""

#: farm, coordinator, token, lease seconds, ageing seconds, ageing turn, most lapses, classes… → render or nothing
CLAIM = """
local wanted = {}
for i = 8, #ARGV do wanted[ARGV[i]] = true end
local function take(render)
  redis.call('ZREM', key('queue:' .. get(render, 'priority')), render)
  redis.call('ZADD', key('running'), now + tonumber(ARGV[4]), render)
  redis.call('HSET', job(render), 'state', 'running', 'owner', ARGV[2], 'token', ARGV[3])
  redis.call('HSET', job(render), 'note', '')
  -- After a loss of Redis the work may be of a later attempt than the job, which is queued anew.
  local work = redis.call('HGET', farm .. ':{' .. render .. '}:state', 'generation')
  local last = math.max(tonumber(get(render, 'generation')) or 0, tonumber(work) or 0)
  redis.call('HSET', job(render), 'generation', last + 1)
  if get(render, 'started_at') == '' then redis.call('HSET', job(render), 'started_at', stamp) end
  return render
end
for _, render in ipairs(redis.call('ZRANGE', key('running'), 0, -1)) do
  if get(render, 'token') == ARGV[3] then return render end
end
for _, render in ipairs(redis.call('ZRANGEBYSCORE', key('running'), '-inf', now)) do
  if get(render, 'state') ~= 'running' then
    redis.call('ZREM', key('running'), render)
  elseif wanted[get(render, 'priority')] then
    -- Without a token it was let go; with one, whoever had it died or was cut off.
    local lapses = get(render, 'token') == '' and 0 or redis.call('HINCRBY', job(render), 'lapses', 1)
    if lapses <= tonumber(ARGV[7]) then return take(render) end
    local why = 'its coordinators died or were cut off ' .. ARGV[7] .. ' times'
    finish(render, 'failed', cjson.encode({error = why}), why)
  end
end
local first, oldest, since = nil, nil, now - tonumber(ARGV[5])
for _, class in ipairs({'system', 'user', 'background'}) do
  local head = wanted[class] and redis.call('ZRANGE', key('queue:' .. class), 0, 0)[1]
  if head then
    first = first or head
    local came = tonumber(get(head, 'submitted_at'))
    if came <= since then oldest, since = head, came end
  end
end
if not first then return false end
if redis.call('INCR', key('jobs:turns')) % tonumber(ARGV[6]) == 0 then return take(oldest or first) end
return take(first)
"""

#: farm, render, token, lease seconds → its class, or nothing if it is not held any more
RENEW = """
local render = ARGV[2]
if get(render, 'token') ~= ARGV[3] or get(render, 'state') ~= 'running' then return false end
redis.call('ZADD', key('running'), now + tonumber(ARGV[4]), render)
return get(render, 'priority')
"""

#: farm, render, token → let a job go, so that somebody else takes it at once
RELEASE = """
local render = ARGV[2]
if get(render, 'token') ~= ARGV[3] or get(render, 'state') ~= 'running' then return 0 end
redis.call('ZADD', key('running'), 0, render)
redis.call('HSET', job(render), 'token', '')
return 1
"""

#: farm, render, token, seconds, why, seconds of calm → let a job go that met an error, for another try after a while
POSTPONE = """
local render = ARGV[2]
if get(render, 'token') ~= ARGV[3] or get(render, 'state') ~= 'running' then return 0 end
if now - (tonumber(get(render, 'troubled_at')) or 0) > tonumber(ARGV[6]) then
  redis.call('HSET', job(render), 'troubles', 0, 'troubled_since', stamp)
end
redis.call('ZADD', key('running'), now + tonumber(ARGV[4]), render)
redis.call('HSET', job(render), 'token', '', 'note', ARGV[5], 'troubled_at', stamp)
redis.call('HINCRBY', job(render), 'troubles', 1)
return 1
"""

#: farm, render, token, state, result, last events… → 1 if it was ended by this
END = """
local render = ARGV[2]
if get(render, 'ended_by') == ARGV[3] then return get(render, 'state') == ARGV[4] and 1 or 0 end
if get(render, 'token') ~= ARGV[3] or get(render, 'state') ~= 'running' then return 0 end
for i = 6, #ARGV do tell(render, ARGV[i]) end
finish(render, ARGV[4], ARGV[5], '')
redis.call('HSET', job(render), 'ended_by', ARGV[3])
return 1
"""

#: farm, render, state, note, the asker's token → the state it was in, or nothing
STOP = """
local render = ARGV[2]
if get(render, 'ended_by') == ARGV[5] then return get(render, 'was') end
local state = get(render, 'state')
if active(render) then
  finish(render, ARGV[3], '{}', ARGV[4])
  redis.call('HSET', job(render), 'ended_by', ARGV[5], 'was', state)
end
return state
"""

#: farm, render, note → the state it was in
PAUSE = """
local render = ARGV[2]
local state = get(render, 'state')
if state == 'pending' or state == 'running' then
  leave(render)
  redis.call('HSET', job(render), 'state', 'paused', 'note', ARGV[3], 'token', '')
end
return state
"""

#: farm, render → the state it was in
RESUME = """
local render = ARGV[2]
local state = get(render, 'state')
if state == 'paused' then
  redis.call('HSET', job(render), 'state', 'pending', 'note', '')
  queue(render)
end
return state
"""

#: farm, render, priority → the state it is in
RANK = """
local render = ARGV[2]
local state = get(render, 'state')
if active(render) then
  redis.call('ZREM', key('queue:' .. get(render, 'priority')), render)
  redis.call('HSET', job(render), 'priority', ARGV[3])
  if state == 'pending' then queue(render) end
end
return state
"""

#: farm, render, fields… → 1 if it was not known: a job as it was, which is over or paused
REMEMBER = """
local render = ARGV[2]
if redis.call('EXISTS', job(render)) == 1 then return 0 end
redis.call('HSET', job(render), unpack(ARGV, 3))
redis.call('ZADD', key('jobs'), get(render, 'submitted_at'), render)
if active(render) then
  redis.call('HSET', job(render), 'number', redis.call('INCR', key('jobs:number')))
  redis.call('ZADD', key('jobs:active'), get(render, 'submitted_at'), render)
  redis.call('SETNX', key('active:' .. get(render, 'fingerprint')), render)
  if get(render, 'song_key') ~= '' then redis.call('SETNX', key('song:' .. get(render, 'song_key')), render) end
end
return 1
"""
