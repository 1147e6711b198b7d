// SPDX-License-Identifier: Apache-2.0

package integration

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	admissionv1 "k8s.io/api/admissionregistration/v1"
	authenticationv1 "k8s.io/api/authentication/v1"
	corev1 "k8s.io/api/core/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/rest"
	clientcmdapi "k8s.io/client-go/tools/clientcmd/api"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/yaml"
)

// identity is a ServiceAccount in a namespace of its own, with a token as a pod would have it.
type identity struct {
	namespace  string
	config     *rest.Config
	kubeconfig string // a file with the same
}

// operatorRoles returns the manifests that grant the manager its rights in config/default.
func operatorRoles() []client.Object {
	return readRoles("../../config/rbac/role.yaml", "../../config/rbac/role_binding.yaml",
		"../../config/rbac/leader_election_role.yaml", "../../config/rbac/leader_election_role_binding.yaml",
		"../../config/rbac/metrics_auth_role.yaml", "../../config/rbac/metrics_auth_role_binding.yaml")
}

// readRoles parses manifests with one object each. It panics if that fails, which is a mistake in the repository.
func readRoles(files ...string) []client.Object {
	kinds := map[string]func() client.Object{
		"ClusterRole":        func() client.Object { return &rbacv1.ClusterRole{} },
		"ClusterRoleBinding": func() client.Object { return &rbacv1.ClusterRoleBinding{} },
		"Role":               func() client.Object { return &rbacv1.Role{} },
		"RoleBinding":        func() client.Object { return &rbacv1.RoleBinding{} },

		"ValidatingAdmissionPolicy":        func() client.Object { return &admissionv1.ValidatingAdmissionPolicy{} },
		"ValidatingAdmissionPolicyBinding": func() client.Object { return &admissionv1.ValidatingAdmissionPolicyBinding{} },
	}
	var objects []client.Object
	for _, file := range files {
		content, err := os.ReadFile(file)
		if err != nil {
			panic(err)
		}
		var meta metav1.TypeMeta
		if err := yaml.Unmarshal(content, &meta); err != nil {
			panic(fmt.Errorf("%s: %w", file, err))
		}
		construct, known := kinds[meta.Kind]
		if !known {
			panic(fmt.Errorf("%s: unexpected kind %q", file, meta.Kind))
		}
		object := construct()
		if err := yaml.UnmarshalStrict(content, object); err != nil {
			panic(fmt.Errorf("%s: %w", file, err))
		}
		objects = append(objects, object)
	}
	return objects
}

// rulesOf returns the rules of a role, nil for anything else.
func rulesOf(object client.Object) []rbacv1.PolicyRule {
	switch object := object.(type) {
	case *rbacv1.ClusterRole:
		return object.Rules
	case *rbacv1.Role:
		return object.Rules
	}
	return nil
}

// grant creates a ServiceAccount and grants it the roles, as kustomize would: names get a prefix, and objects in the placeholder namespace get the
// operator's.
func (c *cluster) grant(ctx context.Context, roles []client.Object, name string) (identity, error) {
	namespace, err := c.namespace(ctx, "operator-"+name)
	if err != nil {
		return identity{}, err
	}
	account := &corev1.ServiceAccount{ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: "controller-manager"}}
	if err := c.Client.Create(ctx, account); err != nil {
		return identity{}, err
	}
	subjects := []rbacv1.Subject{{Kind: "ServiceAccount", Namespace: namespace, Name: account.Name}}
	for _, object := range roles {
		object.SetName(namespace + "-" + object.GetName())
		if object.GetNamespace() == "system" {
			object.SetNamespace(namespace)
		}
		switch object := object.(type) {
		case *rbacv1.ClusterRoleBinding:
			object.RoleRef.Name, object.Subjects = namespace+"-"+object.RoleRef.Name, subjects
		case *rbacv1.RoleBinding:
			object.RoleRef.Name, object.Subjects = namespace+"-"+object.RoleRef.Name, subjects
		case *admissionv1.ValidatingAdmissionPolicy:
			user := &object.Spec.MatchConditions[0].Expression
			*user = strings.Replace(*user, ":system:controller-manager:", ":"+namespace+":"+account.Name+":", 1)
		case *admissionv1.ValidatingAdmissionPolicyBinding:
			object.Spec.PolicyName = namespace + "-" + object.Spec.PolicyName
		}
		if err := c.Client.Create(ctx, object); err != nil {
			return identity{}, err
		}
	}
	return c.identityOf(ctx, account)
}

// identityOf requests a token for a ServiceAccount.
func (c *cluster) identityOf(ctx context.Context, account *corev1.ServiceAccount) (identity, error) {
	request, err := c.clientset.CoreV1().ServiceAccounts(account.Namespace).CreateToken(ctx, account.Name, &authenticationv1.TokenRequest{}, metav1.CreateOptions{})
	if err != nil {
		return identity{}, fmt.Errorf("get a token for ServiceAccount %s: %w", account.Name, err)
	}
	id := identity{namespace: account.Namespace, kubeconfig: filepath.Join(c.Temp, account.Namespace+"-"+account.Name+".kubeconfig")}
	id.config = rest.AnonymousClientConfig(c.Config)
	id.config.BearerToken = request.Status.Token
	return id, c.WriteKubeconfig(id.kubeconfig, &clientcmdapi.AuthInfo{Token: request.Status.Token}, account.Namespace)
}
