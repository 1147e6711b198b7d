package main

// A bug is a few edits that make the operator a worse one.
type bug struct {
	name  string
	edits []edit
	// leaks says that it tells something of a Secret's value: the pairs of worlds are to find it, and the promises of a single world are not.
	leaks bool
}

// An edit replaces a text that a file has exactly once.
type edit struct{ file, from, to string }

var bugs = []bug{
	{name: "publish before checking expiry", edits: []edit{
		{"controllers/obtain.go", "case err == nil && !got.Life.ExpiresAt.IsZero() && !v.now.Before(got.Life.ExpiresAt):", "case false:"},
		{"controllers/obtain.go", " && !p.rec.expired(v.now) {", " {"},
		{"controllers/write.go", "if p.rec.expired(r.Clock.Now()) {", "if false {"},
	}},
	{name: "forget the persisted back-off", edits: []edit{
		// A process knows the failed attempts that it has made itself, and no others.
		{"controllers/view.go", "	attemptUnchanged bool\n", "	attemptUnchanged, forgotten bool\n"},
		{"controllers/observe.go", "	v.intent, v.intentErr = intentOf(&obj.Spec)\n", "	v.intent, v.intentErr = intentOf(&obj.Spec)\n	v.forgotten = mem.client.attempt == \"\"\n"},
		{"controllers/plan.go", "	last := status.LastAttempt\n	if last == nil {", "	last := status.LastAttempt\n	if last == nil || v.forgotten {"},
	}},
	{name: "trust a stale cache", edits: []edit{
		{"controllers/lag.go", "if !older(obj.ResourceVersion, mem.objectVersion) {", "if true {"},
		{"controllers/lag.go", "if nothingToLose || ", "if nothingToLose || true || "},
		{"controllers/observe.go", "if known && lags(found, t.version, seen.version) {", "if false {"},
		{"controllers/observe.go", "if last != nil && last.Asked == v.intent.asked && lags(true, v.client.version, last.ClientSecretVersion) {", "if false {"},
	}},
	{name: "name the data anew only if it differs", leaks: true, edits: []edit{
		// Status and pod templates then tell whether a template renders to what the target holds.
		{
			"controllers/write.go", "		if err := r.setDataRevision(v, &p.rec); err != nil {",
			"		if old := v.held.rec; old != nil && old.DataRevision != \"\" && old.sealData(data, p.rec.Keys) == old.Data {\n" +
				"			p.rec.DataRevision = old.DataRevision\n		} else if err := r.setDataRevision(v, &p.rec); err != nil {",
		},
	}},
	{name: "exchange after a change of the client Secret only if its values differ", leaks: true, edits: []edit{
		{"controllers/observe.go", "	if recordStale && askedDifference(rec, &v.intent) == different {", "	if false {"},
	}},
	{name: "renew who uses a target as client Secret only if its values differ", leaks: true, edits: []edit{
		{"controllers/intent.go", "		return string(rec.Salt)", "		return string(rec.Salt[:0])"},
	}},
}
