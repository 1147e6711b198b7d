package exchange

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"strings"
	"time"
)

// answer is what an endpoint said, unread.
type answer struct {
	// sent and received are on the local clock.
	sent, received time.Time
	status         int
	header         http.Header
	body           []byte
	// oversize: there was more of the body than is read.
	oversize bool
	secrets  secrets
}

func (a answer) ok() bool { return a.status >= 200 && a.status <= 299 }

// date is the endpoint's clock when it answered (RFC 9110 section 6.6.1). Zero: it did not say.
func (a answer) date() time.Time {
	date, err := http.ParseTime(a.header.Get("Date"))
	if err != nil {
		return time.Time{}
	}
	return date
}

// object is the body as one JSON object, whatever its Content-Type says: servers send it as text/plain and text/html, and with a byte
// order mark. Nil: it is none. Of a name that is there twice the last value counts.
func (a answer) object() map[string]any {
	if a.oversize {
		return nil
	}
	decoder := json.NewDecoder(bytes.NewReader(bytes.TrimPrefix(a.body, []byte("\ufeff"))))
	decoder.UseNumber()
	var object map[string]any
	if err := decoder.Decode(&object); err != nil {
		return nil
	}
	if _, err := decoder.Token(); !errors.Is(err, io.EOF) {
		return nil
	}
	return object
}

// field finds a value by its path; a dot descends into an object. Nil: it is not there.
func field(object map[string]any, path string) any {
	name, rest, nested := strings.Cut(path, ".")
	if !nested {
		return object[name]
	}
	inner, ok := object[name].(map[string]any)
	if !ok {
		return nil
	}
	return field(inner, rest)
}
