// SPDX-License-Identifier: Apache-2.0

package framework

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
)

// Module is the folder in which the go command keeps a module, PATH@VERSION, which is downloaded on first use. sum is its checksum, as go.sum has it. For
// files of a module that nothing here imports, such as another program's CRDs.
func Module(ctx context.Context, module, sum string) (string, error) {
	out, err := Command(ctx, os.TempDir(), "go", "mod", "download", "-json", module).Output()
	var got struct{ Dir, Sum, Error string }
	if decodeErr := json.Unmarshal(out, &got); decodeErr != nil || got.Dir == "" {
		return "", fmt.Errorf("download %s: %w: %s", module, err, got.Error)
	}
	if got.Sum != sum {
		return "", fmt.Errorf("%s has the checksum %s, want %s", module, got.Sum, sum)
	}
	return got.Dir, nil
}
