package credential

import (
	"time"
)

// An APIFailure is since when the API server has refused what passes over an object ask of it, and how often.
type APIFailure struct {
	Since    time.Time
	Failures int32
}
