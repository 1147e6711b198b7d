// SPDX-License-Identifier: Apache-2.0

package credential

// A DriftReason is why the target, though it holds the right token, is not as it should be.
type DriftReason string

// Reasons of drift, in the order in which they are looked for.
const (
	NoDrift        DriftReason = ""
	TargetRenamed  DriftReason = "TargetRenamed"
	ClockJumped    DriftReason = "ClockJumped"
	DataEdited     DriftReason = "DataEdited"
	SpecChanged    DriftReason = "SpecChanged"
	MetadataEdited DriftReason = "MetadataEdited"
)

// Drift returns the first reason to write the target again from the current token.
func Drift(s *State) DriftReason {
	switch {
	case s.IsMoving():
		return TargetRenamed
	case s.ClockJumped():
		return ClockJumped
	case s.Current.Content == ContentEdited:
		return DataEdited
	case targetSpecChanged(s):
		return SpecChanged
	case metadataEdited(s):
		return MetadataEdited
	}
	return NoDrift
}

// targetSpecChanged reports whether the target was written for another spec.target.
func targetSpecChanged(s *State) bool {
	rec := s.Current.Persisted
	return rec != nil && rec.TargetSpecHash != TargetSpecHash(&s.Object.Spec.Target)
}

// metadataEdited reports whether somebody changed the labels, annotations or owner that we put on the target.
func metadataEdited(s *State) bool {
	rec := s.Current.Persisted
	if rec == nil || s.IsMoving() {
		return false
	}
	want := DesiredMetadata(s.Object, rec.LocalExpiry(), s.Target.SharedBeside(rec.Keys))
	return !want.IsOn(&s.Target.Metadata)
}
