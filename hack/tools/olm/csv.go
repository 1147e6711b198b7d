// SPDX-License-Identifier: Apache-2.0

package main

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"regexp"
	"strings"

	"github.com/operator-framework/api/pkg/operators/v1alpha1"
	appsv1 "k8s.io/api/apps/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

const (
	name = "cdp-credential-operator"
	home = "https://github.com/cdpcredentials/cdp-credential-operator"
)

const description = `Exchanges the client credentials in one Secret for an access token in another, and renews the token before it expires:
for Adobe Experience Platform, APSIS One, Experiture, Algonomy, Auth0 and any OAuth 2.0 client-credentials endpoint.

A pod never reads an expired token, and no token is requested that nobody needs. A client Secret is sent only to hosts that it consents to.`

var number = regexp.MustCompile(`^v?([0-9]+\.[0-9]+\.[0-9]+.*)$`)

// semantic returns a version in the form that OLM requires. Anything else (a commit, dev) sorts before all releases.
func semantic(text string) string {
	if found := number.FindStringSubmatch(text); found != nil {
		return found[1]
	}
	return "0.0.0-" + regexp.MustCompile(`[^0-9A-Za-z.-]`).ReplaceAllString(text, "-")
}

// serviceVersion describes how OLM installs the operator: the Deployment, and the rights of its ServiceAccount.
func serviceVersion(objects []*unstructured.Unstructured, number string) (*v1alpha1.ClusterServiceVersion, error) {
	deployment, err := one[appsv1.Deployment](objects, "Deployment")
	if err != nil {
		return nil, err
	}
	crd, err := one[apiextensionsv1.CustomResourceDefinition](objects, "CustomResourceDefinition")
	if err != nil {
		return nil, err
	}
	account := deployment.Spec.Template.Spec.ServiceAccountName
	cluster, own, err := rights(objects, account)
	if err != nil {
		return nil, err
	}
	csv := &v1alpha1.ClusterServiceVersion{}
	csv.APIVersion, csv.Kind, csv.Name = v1alpha1.ClusterServiceVersionAPIVersion, v1alpha1.ClusterServiceVersionKind, name+".v"+number
	if err := csv.Spec.Version.UnmarshalJSON([]byte(`"` + number + `"`)); err != nil {
		return nil, fmt.Errorf("read the version %s: %w", number, err)
	}
	csv.Spec.MinKubeVersion = "1.31.0"
	csv.Spec.InstallStrategy = v1alpha1.NamedInstallStrategy{StrategyName: v1alpha1.InstallStrategyNameDeployment, StrategySpec: v1alpha1.StrategyDetailsDeployment{
		DeploymentSpecs:    []v1alpha1.StrategyDeploymentSpec{{Name: deployment.Name, Label: deployment.Labels, Spec: deployment.Spec}},
		ClusterPermissions: []v1alpha1.StrategyDeploymentPermissions{{ServiceAccountName: account, Rules: cluster}},
		Permissions:        []v1alpha1.StrategyDeploymentPermissions{{ServiceAccountName: account, Rules: own}},
	}}
	for _, mode := range []v1alpha1.InstallModeType{
		v1alpha1.InstallModeTypeOwnNamespace, v1alpha1.InstallModeTypeSingleNamespace, v1alpha1.InstallModeTypeMultiNamespace, v1alpha1.InstallModeTypeAllNamespaces,
	} {
		csv.Spec.InstallModes = append(csv.Spec.InstallModes, v1alpha1.InstallMode{Type: mode, Supported: mode == v1alpha1.InstallModeTypeAllNamespaces})
	}
	for _, served := range crd.Spec.Versions {
		csv.Spec.CustomResourceDefinitions.Owned = append(csv.Spec.CustomResourceDefinitions.Owned, v1alpha1.CRDDescription{
			Name: crd.Name, Version: served.Name, Kind: crd.Spec.Names.Kind, DisplayName: crd.Spec.Names.Kind, Description: served.Schema.OpenAPIV3Schema.Description,
		})
	}
	return csv, nil
}

// rights returns the rules of the roles that are bound to an account, for the cluster and for its own namespace.
func rights(objects []*unstructured.Unstructured, account string) (cluster, own []rbacv1.PolicyRule, err error) {
	rules := map[string][]rbacv1.PolicyRule{}
	clusterRoles, err1 := all[rbacv1.ClusterRole](objects, "ClusterRole")
	roles, err2 := all[rbacv1.Role](objects, "Role")
	clusterBindings, err3 := all[rbacv1.ClusterRoleBinding](objects, "ClusterRoleBinding")
	bindings, err4 := all[rbacv1.RoleBinding](objects, "RoleBinding")
	if err := errors.Join(err1, err2, err3, err4); err != nil {
		return nil, nil, err
	}
	for _, role := range clusterRoles {
		rules["ClusterRole "+role.Name] = role.Rules
	}
	for _, role := range roles {
		rules["Role "+role.Name] = role.Rules
	}
	for _, binding := range clusterBindings {
		if binds(binding.Subjects, account) {
			cluster = append(cluster, rules["ClusterRole "+binding.RoleRef.Name]...)
		}
	}
	for _, binding := range bindings {
		if binds(binding.Subjects, account) {
			own = append(own, rules[binding.RoleRef.Kind+" "+binding.RoleRef.Name]...)
		}
	}
	if len(cluster) == 0 || len(own) == 0 {
		return nil, nil, fmt.Errorf("find the rights of %s: %d rules for the cluster, %d for its namespace", account, len(cluster), len(own))
	}
	return cluster, own, nil
}

func binds(subjects []rbacv1.Subject, account string) bool {
	return len(subjects) == 1 && subjects[0].Kind == rbacv1.ServiceAccountKind && subjects[0].Name == account
}

// decorate adds what people see in a catalogue.
func decorate(csv *v1alpha1.ClusterServiceVersion, samples, icon string) error {
	csv.Spec.DisplayName, csv.Spec.Description, csv.Spec.Maturity = "CDP Credential Operator", description, "alpha"
	csv.Spec.Keywords = []string{"oauth2", "credentials", "secrets"}
	csv.Spec.Provider = v1alpha1.AppLink{Name: "The cdp-credential-operator authors", URL: home}
	csv.Spec.Links = []v1alpha1.AppLink{{Name: "Documentation", URL: home + "/tree/main/docs"}, {Name: "Source", URL: home}}
	objects, err := readFolder(samples)
	if err != nil {
		return err
	}
	var examples []map[string]any
	for _, object := range objects {
		if object.GetKind() == "CDPCredential" {
			examples = append(examples, object.Object)
		}
	}
	text, err := json.MarshalIndent(examples, "", "  ")
	if err != nil {
		return fmt.Errorf("encode the samples: %w", err)
	}
	csv.Annotations = map[string]string{
		"alm-examples": string(text), "capabilities": "Deep Insights", "categories": "Security,Integration & Delivery", "repository": home,
		"description": strings.Split(description, "\n")[0] + " for several vendors.",
	}
	deployments := csv.Spec.InstallStrategy.StrategySpec.DeploymentSpecs
	csv.Annotations["containerImage"] = deployments[0].Spec.Template.Spec.Containers[0].Image
	if icon == "" {
		return nil
	}
	picture, err := os.ReadFile(icon)
	if err != nil {
		return fmt.Errorf("read the icon: %w", err)
	}
	csv.Spec.Icon = []v1alpha1.Icon{{Data: base64.StdEncoding.EncodeToString(picture), MediaType: "image/svg+xml"}}
	return nil
}
