// SPDX-License-Identifier: Apache-2.0

package credential

// A DriftReason is why a target that holds the right token has to be written again.
type DriftReason string

// Reasons of drift, in the order in which they are checked.
const (
	NoDrift        DriftReason = ""
	TargetRenamed  DriftReason = "TargetRenamed"
	ClockJumped    DriftReason = "ClockJumped"
	DataEdited     DriftReason = "DataEdited"
	SpecChanged    DriftReason = "SpecChanged"
	MetadataEdited DriftReason = "MetadataEdited"
)

// drift returns the first reason to write the target again with the current token.
func drift(s *State) DriftReason {
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
	written := s.Current.Persisted
	return written != nil && written.TargetSpecHash != TargetSpecHash(&s.Object.Spec.Target)
}

// metadataEdited reports whether the target lacks labels, annotations or the owner reference that it should have.
func metadataEdited(s *State) bool {
	written := s.Current.Persisted
	if written == nil || s.IsMoving() {
		return false
	}
	want := desiredMetadata(s.Object, written.LocalExpiry(), s.Target.SharedBeside(written.Keys))
	return !want.IsOn(&s.Target.Metadata)
}
