// SPDX-License-Identifier: Apache-2.0
#ifndef SIGNPOST_ENV_DESCRIPTORS_H
#define SIGNPOST_ENV_DESCRIPTORS_H

// Raises the number of file descriptors this process may have to what it may raise it to: by custom
// it is kept low for the sake of select(2), and a large store has hundreds of files. To be called
// at the start.
void descriptors_raise(void);

#endif
