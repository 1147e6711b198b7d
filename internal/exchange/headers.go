package exchange

import "cmp"

// APIHeaders are all the headers that a call of the system's API needs, the one that carries the token included. tokenType is that of the
// Token; empty means Bearer.
func (r Request) APIHeaders(value Secret, tokenType string) map[string]string {
	headers := map[string]string{}
	switch r.Provider {
	case AdobeServerToServer, AdobeServiceAccount:
		headers["x-api-key"] = string(r.Client.ID)
		headers["x-gw-ims-org-id"] = r.OrganizationID
		if r.SandboxName != "" {
			headers["x-sandbox-name"] = r.SandboxName
		}
	case Algonomy:
		headers["tenant_hash"] = string(r.Client.TenantHash)
		headers["access_token"] = string(value)
		return headers
	}
	headers["Authorization"] = cmp.Or(tokenType, "Bearer") + " " + string(value)
	return headers
}

// TokenHeader names the header that carries the token.
func (r Request) TokenHeader() string {
	if r.Provider == Algonomy {
		return "access_token"
	}
	return "Authorization"
}
