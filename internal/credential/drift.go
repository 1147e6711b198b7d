package credential

// TargetDrifted says whether the target has the right token but is otherwise not as wanted.
func TargetDrifted(s *State) bool {
	return s.IsMoving() || s.ClockJumped() || s.Current.Content == ContentEdited || s.Current.Persisted != nil && s.Current.Persisted.TargetSpecHash != TargetSpecHash(&s.Object.Spec.Target) || metadataDrifted(s)
}

// metadataDrifted says whether somebody changed the labels, annotations or owner that we put on the target.
func metadataDrifted(s *State) bool {
	rec := s.Current.Persisted
	if rec == nil || s.IsMoving() {
		return false
	}
	want := DesiredMetadata(s.Object, rec.LocalExpiry(), s.Target.SharedBeside(rec.Keys))
	return !want.IsOn(&s.Target.Metadata)
}
