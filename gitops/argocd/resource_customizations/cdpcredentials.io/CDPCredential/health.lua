-- The health of a CDPCredential. One file serves Argo CD's own resource_customizations and the ConfigMap argocd-cm, so that it uses
-- nothing but Lua's base functions. It says what kstatus (and with it Flux) says, except for a suspended object without a token, which is
-- Suspended, and for a failure that lasts, which is Degraded: Argo CD has no time limit of its own for what is Progressing.

local function is_true(condition)
  return condition ~= nil and condition.status == "True"
end

-- Argo CD says so by itself before it asks, unless the object is a hook.
if obj.metadata.deletionTimestamp ~= nil then
  return {status = "Progressing", message = "Pending deletion"}
end

-- The API server begins with -1, so that no object is judged before the operator has looked at it.
local status = obj.status or {}
local observed = status.observedGeneration
local generation = obj.metadata.generation
if observed == nil or observed < 1 or (generation ~= nil and observed ~= generation) then
  return {status = "Progressing", message = "Waiting for the operator to look at the latest change"}
end

local found = {}
for _, condition in ipairs(status.conditions or {}) do
  found[condition.type] = condition
end
local ready = found["Ready"] or {status = "Unknown", message = "Waiting for the condition Ready"}

-- While suspended, a token that has not expired serves its pods as before: later waves may go on.
if obj.spec ~= nil and obj.spec.suspend == true then
  if is_true(ready) then
    return {status = "Healthy", message = ready.message}
  end
  return {status = "Suspended", message = ready.message}
end

-- Somebody has to change something. A token that is still good only puts off the day on which that hurts, so that it does not count.
if is_true(found["Stalled"]) then
  return {status = "Degraded", message = found["Stalled"].message}
end

-- The operator retries by itself, with or without a token that is still good. An outage is over within a few attempts; what goes on after the
-- fifth (at least 40 seconds), a wrong URL for example, or what is reported only after it has lasted, most likely needs somebody.
local lasting = {APIUnavailable = true, TargetContested = true}
local reconciling = found["Reconciling"]
if is_true(reconciling) then
  if (status.failures or 0) >= 5 or lasting[reconciling.reason] then
    return {status = "Degraded", message = reconciling.message}
  end
  return {status = "Progressing", message = reconciling.message}
end

if not is_true(ready) then
  return {status = "Progressing", message = ready.message}
end

-- The token is there and has not expired, which is what Healthy stands for; what the API thinks of it is for spec.verify's condition.
local message = ready.message
local verified = found["Verified"]
if verified ~= nil and verified.status == "False" then
  message = message .. ", but it was not verified: " .. verified.message
end
return {status = "Healthy", message = message}
