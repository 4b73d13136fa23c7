//! The few decompositions the engine needs, from faer, behind a C interface for WebAssembly.
//! All matrices are dense float64 in row-major order.
//! Every function returns 0 when it succeeded and 1 when the algorithm did not converge.

use faer::linalg::matmul::{matmul, triangular};
use faer::{mat::MatMut, mat::MatRef, Accum, Par, Side};
use std::slice::{from_raw_parts, from_raw_parts_mut};

/// Reserves `bytes` bytes, aligned for SIMD loads.
#[no_mangle]
pub extern "C" fn reserve(bytes: usize) -> *mut u8 {
    let layout = std::alloc::Layout::from_size_align(bytes.max(16), 16).unwrap();
    unsafe { std::alloc::alloc(layout) }
}

/// Gives back what `reserve` returned for the same number of bytes.
///
/// # Safety
/// `pointer` and `bytes` must come from one call of `reserve`.
#[no_mangle]
pub unsafe extern "C" fn release(pointer: *mut u8, bytes: usize) {
    let layout = std::alloc::Layout::from_size_align(bytes.max(16), 16).unwrap();
    std::alloc::dealloc(pointer, layout)
}

/// Eigenvalues (ascending) and eigenvectors (columns of `vectors`) of the symmetric `[n, n]` matrix `a`.
///
/// # Safety
/// The pointers must hold `n * n`, `n` and `n * n` float64 values.
#[no_mangle]
pub unsafe extern "C" fn symmetric_eigen(n: usize, a: *const f64, values: *mut f64, vectors: *mut f64) -> i32 {
    let input = MatRef::from_row_major_slice(from_raw_parts(a, n * n), n, n);
    let Ok(eigen) = input.self_adjoint_eigen(Side::Lower) else { return 1 };
    let out = from_raw_parts_mut(values, n);
    for (i, value) in out.iter_mut().enumerate() {
        *value = eigen.S()[i];
    }
    MatMut::from_row_major_slice_mut(from_raw_parts_mut(vectors, n * n), n, n).copy_from(eigen.U());
    0
}

/// Thin singular value decomposition of the `[m, n]` matrix `a`: with k = min(m, n),
/// `u` is `[m, k]`, `s` is `[k]` (descending) and `v` is `[n, k]`, so that a = u · diag(s) · vᵀ.
///
/// # Safety
/// The pointers must hold `m * n`, `m * k`, `k` and `n * k` float64 values.
#[no_mangle]
pub unsafe extern "C" fn thin_svd(m: usize, n: usize, a: *const f64, u: *mut f64, s: *mut f64, v: *mut f64) -> i32 {
    let k = m.min(n);
    let input = MatRef::from_row_major_slice(from_raw_parts(a, m * n), m, n);
    let Ok(svd) = input.thin_svd() else { return 1 };
    let out = from_raw_parts_mut(s, k);
    for (i, value) in out.iter_mut().enumerate() {
        *value = svd.S()[i];
    }
    MatMut::from_row_major_slice_mut(from_raw_parts_mut(u, m * k), m, k).copy_from(svd.U());
    MatMut::from_row_major_slice_mut(from_raw_parts_mut(v, n * k), n, k).copy_from(svd.V());
    0
}

/// c = a · b (or c += a · b) with a `[m, k]`, b `[k, n]` and c `[m, n]`.
/// The steps between rows and columns of a and b let a matrix be read transposed.
///
/// # Safety
/// The pointers must hold the elements that the shapes and steps reach.
#[no_mangle]
#[allow(clippy::too_many_arguments)]
pub unsafe extern "C" fn multiply(
    m: usize, n: usize, k: usize,
    a: *const f64, a_row: isize, a_column: isize,
    b: *const f64, b_row: isize, b_column: isize,
    c: *mut f64, add: i32,
) {
    let left = MatRef::from_raw_parts(a, m, k, a_row, a_column);
    let right = MatRef::from_raw_parts(b, k, n, b_row, b_column);
    let out = MatMut::from_row_major_slice_mut(from_raw_parts_mut(c, m * n), m, n);
    matmul(out, accumulation(add), left, right, 1.0, Par::Seq);
}

/// Lower triangle of c = a · aᵀ (or c += a · aᵀ) with a `[m, k]`; the rest of c is left as it was.
///
/// # Safety
/// The pointers must hold the elements that the shapes and steps reach.
#[no_mangle]
pub unsafe extern "C" fn gram(m: usize, k: usize, a: *const f64, a_row: isize, a_column: isize, c: *mut f64, add: i32) {
    let left = MatRef::from_raw_parts(a, m, k, a_row, a_column);
    let out = MatMut::from_row_major_slice_mut(from_raw_parts_mut(c, m * m), m, m);
    let whole = triangular::BlockStructure::Rectangular;
    triangular::matmul(
        out, triangular::BlockStructure::TriangularLower, accumulation(add),
        left, whole, left.transpose(), whole, 1.0, Par::Seq,
    );
}

fn accumulation(add: i32) -> Accum {
    if add == 0 { Accum::Replace } else { Accum::Add }
}
