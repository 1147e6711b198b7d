// SPDX-License-Identifier: Apache-2.0

package exchangetest

import (
	"fmt"
	"maps"
	"slices"
)

// Register makes a client known, or replaces what is known of it: a new Secret is how a secret is rotated. Its tokens stay as they are.
func (s *Server) Register(c Client) error {
	switch _, known := s.addresses[c.System]; {
	case !known:
		return fmt.Errorf("register client: there is no system %q", c.System)
	case c.ID == "":
		return fmt.Errorf("register client of %s: the id is empty", c.System)
	}
	c.Scopes, c.NarrowTo = slices.Clone(c.Scopes), slices.Clone(c.NarrowTo)
	c.Audiences, c.Resources, c.Metascopes = slices.Clone(c.Audiences), slices.Clone(c.Resources), slices.Clone(c.Metascopes)
	c.Parameters, c.Headers = maps.Clone(c.Parameters), maps.Clone(c.Headers)

	s.mu.Lock()
	defer s.mu.Unlock()
	s.clients[clientKey{c.System, c.ID}] = c
	s.secrets.rememberClient(c)
	return nil
}

// Unregister forgets a client: it is refused from now on. Its tokens stay as they are; Revoke ends them.
func (s *Server) Unregister(system System, id string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.clients, clientKey{system, id})
}
