package credential

type ClientComparison struct {
	// Version and asked are those of the client Secret and of the intent.
	Version, Asked string
	// Request is the fingerprint of what they come to, under the process's own salt. Empty: the Secret lacks a value.
	Request string
	// Against is the fingerprint in the record that it was compared with.
	Against    string
	Difference Difference
	// Attempt is request at the last failed attempt.
	Attempt string
}

// IsOf says whether what was seen last is of what there is now.
func (seen *ClientComparison) IsOf(s *State, compared bool) bool {
	return seen.Version == s.Client.Version && seen.Asked == s.Desired.SpecHash && (!compared || seen.Against == s.Current.Persisted.RequestHash)
}
