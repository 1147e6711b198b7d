// SPDX-License-Identifier: Apache-2.0

package main

// A bug is a set of edits that break the operator.
type bug struct {
	name  string
	edits []edit
	// leaks is set if the bug reveals something about a Secret's value: pairs of worlds must find it, because no promise within a single world is
	// broken.
	leaks bool
}

// An edit replaces a text that occurs exactly once in a file.
type edit struct{ file, from, to string }

var bugs = []bug{
	{name: "publish before checking expiry", edits: []edit{
		{"internal/credential/attempt.go", "	if got.Life.ExpiresAt.IsZero() || now.Before(got.Life.ExpiresAt) {", "	if true {"},
		{"internal/credential/new_publication.go", "return sameRequest && !p.Persisted.Expired(s.Now)", "return sameRequest"},
		{"controllers/target.go", "if p.Persisted.Expired(r.Clock.Now()) {", "if false {"},
	}},
	{name: "forget the persisted back-off", edits: []edit{
		// A process knows only the failed attempts that it made itself.
		{"internal/credential/state.go", "	AttemptUnchanged bool\n", "	AttemptUnchanged, Forgotten bool\n"},
		{
			"controllers/current_state.go", "	s.Desired, s.DesiredErr = credential.DesiredFlowOf(&obj.Spec)\n",
			"	s.Desired, s.DesiredErr = credential.DesiredFlowOf(&obj.Spec)\n	s.Forgotten = cache.Client.Attempt == \"\"\n",
		},
		{"internal/credential/backoff.go", "failed := last != nil && ", "failed := !s.Forgotten && last != nil && "},
	}},
	{name: "trust a stale cache", edits: []edit{
		{"internal/credential/object_cache.go", "if !Older(obj.ResourceVersion, cache.ObjectVersion) {", "if true {"},
		{"internal/credential/object_cache.go", "return !nothingToLose && (", "return false && ("},
		{"controllers/current_state.go", "return credential.Lags(t.Found, t.Version, known), nil", "return false, nil"},
		{"controllers/current_state.go", "if credential.ClientLags(s) {", "if false {"},
	}},
	{name: "name the data anew only if it differs", leaks: true, edits: []edit{
		// Status and pod templates then reveal whether a template renders to the content of the target.
		{
			"controllers/target.go", "		if !credential.KeepsDataRevision(s, &p.Persisted) {",
			"		if old := s.Current.Persisted; old != nil && old.DataRevision != \"\" && old.DataMACOf(data, p.Persisted.Keys) == old.DataMAC {\n" +
				"			p.Persisted.DataRevision = old.DataRevision\n		} else if !credential.KeepsDataRevision(s, &p.Persisted) {",
		},
	}},
	{name: "exchange after a change of the client Secret only if its values differ", leaks: true, edits: []edit{
		{"internal/credential/client_comparison.go", "if c.WithToken && SpecDifference(current, &s.Desired) == Different {", "if false {"},
	}},
	{name: "renew who uses a target as client Secret only if its values differ", leaks: true, edits: []edit{
		{"internal/credential/desired_flow.go", "		return string(p.Salt)", "		return string(p.Salt[:0])"},
	}},
}
