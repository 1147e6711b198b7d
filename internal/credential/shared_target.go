// SPDX-License-Identifier: Apache-2.0

package credential

// SharedTarget returns the name of a target that stays when the object is deleted, and only loses our keys. Empty: it goes, or stays as it is.
func SharedTarget(s *State) string {
	t := &s.Target
	ours := t.HasToken() && t.Owner() == s.Object.Name
	if !ours || Retains(&s.Object.Spec.Target) || !t.SharedBeside(t.Persisted.Keys) {
		return ""
	}
	return t.Name
}
