// SPDX-License-Identifier: Apache-2.0

package cli

import (
	"context"
	"fmt"
	"runtime"

	"github.com/spf13/cobra"
	corev1 "k8s.io/api/core/v1"

	"github.com/cdpcredentials/cdp-credential-operator/api/v1alpha1"
)

// Versions is what `version` prints.
type Versions struct {
	Client    string `json:"client"`
	GoVersion string `json:"goVersion"`
	API       string `json:"api"`
	// Operators are the images of the operator's pods, where they may be seen.
	Operators []string `json:"operators,omitempty"`
}

func newVersion(env Environment, connect *connection) *cobra.Command {
	var out output
	var clientOnly bool
	cmd := &cobra.Command{
		Use:   "version",
		Short: "Print the versions of this program and of the operator",
		Args:  noNames,
		RunE: func(cmd *cobra.Command, _ []string) error {
			v := Versions{Client: env.Version, GoVersion: runtime.Version(), API: v1alpha1.GroupVersion.String()}
			if !clientOnly {
				if s, err := connect.open(); err == nil {
					v.Operators = operatorImages(cmd.Context(), s)
				}
			}
			return out.print(env, v, func(p *page) {
				p.line("client    " + v.Client + " (" + v.GoVersion + ")")
				p.line("API       " + v.API)
				for _, image := range v.Operators {
					p.line("operator  " + image)
				}
				if len(v.Operators) == 0 && !clientOnly {
					p.line("operator  unknown: none of its pods can be seen from here")
				}
			})
		},
	}
	cmd.Flags().BoolVar(&clientOnly, "client", false, "Do not ask the cluster.")
	out.addFlag(cmd)
	return cmd
}

// operatorImages is empty where the operator's pods may not be seen: the rest of the answer is good without them.
func operatorImages(ctx context.Context, s *session) []string {
	var pods corev1.PodList
	if err := s.List(ctx, &pods, operatorLabels); err != nil {
		return nil
	}
	var images []string
	for i := range pods.Items {
		for _, container := range pods.Items[i].Spec.Containers {
			images = append(images, fmt.Sprintf("%s (pod %s/%s)", container.Image, pods.Items[i].Namespace, pods.Items[i].Name))
		}
	}
	return images
}
