// SPDX-License-Identifier: Apache-2.0

package credential

import (
	"encoding/json"

	"github.com/cdpcredentials/cdp-credential-operator/api/v1alpha1"
)

// TargetSpecHash returns a fingerprint of what spec.target says of the Secret's content.
func TargetSpecHash(target *v1alpha1.Target) string {
	text, _ := json.Marshal([]any{target.Labels, target.Annotations, target.Data, Retains(target)}) // strings and maps of strings: cannot fail
	return fingerprint(nil, text)
}

// templatesHash returns a fingerprint of the templates in spec.target.data. Empty: there are none.
func templatesHash(target *v1alpha1.Target) string {
	if len(target.Data) == 0 {
		return ""
	}
	text, _ := json.Marshal(target.Data) // a map of strings, in sorted order: cannot fail
	return fingerprint(nil, text)
}

// Retains reports whether the target is to outlive the object.
func Retains(target *v1alpha1.Target) bool {
	return target.DeletionPolicy == v1alpha1.DeletionPolicyRetain
}
