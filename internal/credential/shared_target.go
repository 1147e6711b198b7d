// SPDX-License-Identifier: Apache-2.0

package credential

// SharedTarget is the target that would stay when the object is deleted, with what we wrote taken out. Empty: it goes, or stays as it is.
func SharedTarget(s *State) string {
	if !s.Target.HasToken() || s.Target.Owner() != s.Object.Name || Retains(&s.Object.Spec.Target) || !s.Target.SharedBeside(s.Target.Persisted.Keys) {
		return ""
	}
	return s.Target.Name
}
