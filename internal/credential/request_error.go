// SPDX-License-Identifier: Apache-2.0

package credential

import (
	"fmt"
)

// A RequestError says which request the API server refused or did not answer.
type RequestError struct {
	Verb, Resource, Name string
	Err                  error
}

func (e *RequestError) Error() string {
	return fmt.Sprintf("%s %s %s: %v", e.Verb, e.Resource, e.Name, e.Err)
}

func (e *RequestError) Unwrap() error { return e.Err }
