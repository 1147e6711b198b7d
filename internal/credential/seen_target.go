// SPDX-License-Identifier: Apache-2.0

package credential

import (
	"github.com/cdpcredentials/cdp-credential-operator/api/v1alpha1"
)

// SeenTarget is what a process remembers of a target Secret that it read or wrote.
type SeenTarget struct {
	Name        string
	Version     string
	Content     Content
	Unusable    string
	ForeignKeys string
}

// Seen returns what is to be remembered of the Secret.
func (t *TargetSecret) Seen() SeenTarget {
	return SeenTarget{Name: t.Name, Version: t.Version, Content: t.Content, Unusable: t.Unusable, ForeignKeys: t.ForeignKeys}
}

// Recall fills in what a target holds of which only the metadata was read, from what this process saw or from status. It reports whether either knows
// this version.
func (t *TargetSecret) Recall(seen SeenTarget, known bool, status *v1alpha1.CDPCredentialStatus) bool {
	inStatus := t.Persisted != nil && status.TargetName == t.Name && status.TargetVersion == t.Version
	switch {
	case known && seen.Version == t.Version:
		t.Content, t.Unusable, t.ForeignKeys = seen.Content, seen.Unusable, seen.ForeignKeys
	case inStatus: // which has only versions with intact content
		t.Content = ContentIntact
		if t.Persisted.Shared {
			t.ForeignKeys = SomeForeign
		}
	default:
		return false
	}
	if other := Controlled(&t.Metadata); other != "" {
		t.Unusable = other
	}
	return true
}
