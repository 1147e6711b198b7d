// SPDX-License-Identifier: Apache-2.0

package credential

import (
	"encoding/json"

	"github.com/cdpcredentials/cdp-credential-operator/api/v1alpha1"
)

// TargetSpecHash is a fingerprint of what spec.target says about the Secret's content.
func TargetSpecHash(target *v1alpha1.Target) string {
	// Marshalling strings and maps of strings cannot fail.
	text, _ := json.Marshal([]any{target.Labels, target.Annotations, target.Data, Retains(target)})
	return Fingerprint(nil, text)
}

// templatesHash is a fingerprint of the templates of spec.target.data. Empty: there are none.
func templatesHash(target *v1alpha1.Target) string {
	if len(target.Data) == 0 {
		return ""
	}
	text, _ := json.Marshal(target.Data) // cannot fail: maps of strings, in sorted order
	return Fingerprint(nil, text)
}

// Retains reports whether the target is to outlive the object.
func Retains(target *v1alpha1.Target) bool {
	return target.DeletionPolicy == v1alpha1.DeletionPolicyRetain
}
