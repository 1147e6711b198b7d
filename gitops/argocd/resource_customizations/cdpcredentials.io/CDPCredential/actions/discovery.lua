-- A suspended object cannot be refreshed.
return {refresh = {disabled = obj.spec.suspend == true}}
