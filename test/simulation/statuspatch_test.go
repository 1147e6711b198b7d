// SPDX-License-Identifier: Apache-2.0

package simulation

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"reflect"
	"strings"

	"k8s.io/apimachinery/pkg/api/equality"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/types"

	"github.com/cdpcredentials/cdp-credential-operator/api/v1alpha1"
)

// An operation is an operation of a JSON patch.
type operation struct {
	Op    string          `json:"op"`
	Path  string          `json:"path"`
	Value json.RawMessage `json:"value"`
}

// patchStatus applies a JSON patch to the status subresource: only status can change.
func (s *apiServer) patchStatus(by *pass, name types.NamespacedName, body []byte) (_ *v1alpha1.CDPCredential, err error) {
	defer s.history.asked(s, apiRequest{verb: patchStatus, name: name, body: body}, &err)()
	before := s.credentials[name]
	if before == nil {
		return nil, apierrors.NewNotFound(credentialResource, name.Name)
	}
	var operations []operation
	decoder := json.NewDecoder(bytes.NewReader(body))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(&operations); err != nil {
		return nil, apierrors.NewBadRequest(err.Error())
	}
	after := before.DeepCopy()
	for _, o := range operations {
		if err := o.apply(after); err != nil {
			return nil, apierrors.NewGenericServerResponse(http.StatusUnprocessableEntity, "", credentialResource, "", err.Error(), 0, false)
		}
	}
	if equality.Semantic.DeepEqual(before.Status, after.Status) {
		s.w.judge.wroteNothing(by, "the status of "+name.Name)
		return before, nil
	}
	after.ResourceVersion = s.nextVersion()
	s.setCredential(by, name, after)
	if by != nil {
		s.w.judge.statusChanged(by, before, after)
	}
	return after, nil
}

// apply applies the operation. It is fast, because a simulation spends most of its time on status patches, and supports only what the operator uses.
func (o operation) apply(obj *v1alpha1.CDPCredential) error {
	name, ofStatus := strings.CutPrefix(o.Path, "/status/")
	switch {
	case o.Op == "test" && o.Path == "/metadata/uid":
		if want, _ := json.Marshal(obj.UID); string(want) != string(o.Value) {
			return fmt.Errorf("testing value %s failed", o.Path)
		}
		return nil
	case o.Op == "test" && o.Path == "/metadata/resourceVersion":
		if want, _ := json.Marshal(obj.ResourceVersion); string(want) != string(o.Value) {
			return fmt.Errorf("testing value %s failed", o.Path)
		}
		return nil
	case o.Op != "add" || !ofStatus:
		return fmt.Errorf("the simulated API server does not know how to %s %s", o.Op, o.Path)
	}
	field := fieldOf(reflect.ValueOf(&obj.Status).Elem(), name)
	if !field.IsValid() {
		return fmt.Errorf("unknown field %q", name)
	}
	field.SetZero() // the old value must not be merged
	if string(o.Value) == "null" {
		return nil
	}
	return json.Unmarshal(o.Value, field.Addr().Interface())
}

// fieldOf finds a field by its JSON name.
func fieldOf(target reflect.Value, name string) reflect.Value {
	for i := range target.NumField() {
		if tag, _, _ := strings.Cut(target.Type().Field(i).Tag.Get("json"), ","); tag == name {
			return target.Field(i)
		}
	}
	return reflect.Value{}
}
