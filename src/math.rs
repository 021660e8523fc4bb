//! Sines, roots and powers that have the same bits on every machine.
//!
//! The functions of the standard library with these names (`f32::sin`, `f32::powf`, ..) are those of the machine's C library, and
//! two C libraries differ in the last bit. A match whose rules use them goes on differently on another server, and in a browser.
//! These are the functions of the crate [`libm`], which are Rust code. The vectors of [`glam`] use them too.
//!
//! `+`, `-`, `*`, `/`, `%`, `sqrt`, `abs`, `floor`, `ceil`, `round`, `trunc`, `clamp`, `rem_euclid` and comparisons are exact on
//! every machine, so rules use those of the standard library.
//!
//! The functions here take `f32`. Those of the module [`f64`](mod@f64) have the same names.
//!
//! # Examples
//!
//! ```
//! use tickcast::math;
//!
//! assert_eq!(math::sin(1.0).to_bits(), 0x3f57_6aa4);
//! assert_eq!(math::powf(2.0, 0.5), 2.0f32.sqrt());
//! ```

/// Defines functions that forward to functions of `libm`: `name(arguments): function of libm, "documentation"`.
macro_rules! forward {
    ($float:ident: $($name:ident($($argument:ident),+): $libm:ident, $doc:literal;)+) => {$(
        #[doc = $doc]
        #[must_use]
        pub fn $name($($argument: $float),+) -> $float {
            libm::$libm($($argument),+)
        }
    )+};
}

forward! { f32:
    sin(x): sinf, "Returns the sine of an angle in radians.";
    cos(x): cosf, "Returns the cosine of an angle in radians.";
    tan(x): tanf, "Returns the tangent of an angle in radians.";
    asin(x): asinf, "Returns the angle in radians, from -π/2 to π/2, that has this sine.";
    acos(x): acosf, "Returns the angle in radians, from 0 to π, that has this cosine.";
    atan(x): atanf, "Returns the angle in radians, from -π/2 to π/2, that has this tangent.";
    atan2(y, x): atan2f, "Returns the angle in radians, from -π to π, of the vector (x, y). `y` comes first, as in `f32::atan2`.";
    sinh(x): sinhf, "Returns the hyperbolic sine.";
    cosh(x): coshf, "Returns the hyperbolic cosine.";
    tanh(x): tanhf, "Returns the hyperbolic tangent.";
    asinh(x): asinhf, "Returns the inverse of [`sinh`].";
    acosh(x): acoshf, "Returns the inverse of [`cosh`], or NaN below 1.";
    atanh(x): atanhf, "Returns the inverse of [`tanh`], or NaN outside of -1 to 1.";
    exp(x): expf, "Returns e to the power of `x`.";
    exp2(x): exp2f, "Returns 2 to the power of `x`.";
    exp_m1(x): expm1f, "Returns `exp(x) - 1`, accurate for small `x`.";
    ln(x): logf, "Returns the natural logarithm.";
    ln_1p(x): log1pf, "Returns `ln(1 + x)`, accurate for small `x`.";
    log2(x): log2f, "Returns the logarithm to the base 2.";
    log10(x): log10f, "Returns the logarithm to the base 10.";
    powf(x, exponent): powf, "Returns `x` to the power of `exponent`. For whole exponents, multiply.";
    cbrt(x): cbrtf, "Returns the cube root.";
    hypot(x, y): hypotf, "Returns the length of the vector (x, y), even where its square would be too large for the type.";
}

/// Returns the sine and the cosine of an angle in radians.
#[must_use]
pub fn sin_cos(x: f32) -> (f32, f32) {
    libm::sincosf(x)
}

pub mod f64 {
    //! The functions of [`math`](super) for `f64`.

    forward! { f64:
        sin(x): sin, "Returns the sine of an angle in radians.";
        cos(x): cos, "Returns the cosine of an angle in radians.";
        tan(x): tan, "Returns the tangent of an angle in radians.";
        asin(x): asin, "Returns the angle in radians, from -π/2 to π/2, that has this sine.";
        acos(x): acos, "Returns the angle in radians, from 0 to π, that has this cosine.";
        atan(x): atan, "Returns the angle in radians, from -π/2 to π/2, that has this tangent.";
        atan2(y, x): atan2, "Returns the angle in radians, from -π to π, of the vector (x, y). `y` comes first, as in `f64::atan2`.";
        sinh(x): sinh, "Returns the hyperbolic sine.";
        cosh(x): cosh, "Returns the hyperbolic cosine.";
        tanh(x): tanh, "Returns the hyperbolic tangent.";
        asinh(x): asinh, "Returns the inverse of [`sinh`].";
        acosh(x): acosh, "Returns the inverse of [`cosh`], or NaN below 1.";
        atanh(x): atanh, "Returns the inverse of [`tanh`], or NaN outside of -1 to 1.";
        exp(x): exp, "Returns e to the power of `x`.";
        exp2(x): exp2, "Returns 2 to the power of `x`.";
        exp_m1(x): expm1, "Returns `exp(x) - 1`, accurate for small `x`.";
        ln(x): log, "Returns the natural logarithm.";
        ln_1p(x): log1p, "Returns `ln(1 + x)`, accurate for small `x`.";
        log2(x): log2, "Returns the logarithm to the base 2.";
        log10(x): log10, "Returns the logarithm to the base 10.";
        powf(x, exponent): pow, "Returns `x` to the power of `exponent`. For whole exponents, multiply.";
        cbrt(x): cbrt, "Returns the cube root.";
        hypot(x, y): hypot, "Returns the length of the vector (x, y), even where its square would be too large for the type.";
    }

    /// Returns the sine and the cosine of an angle in radians.
    #[must_use]
    pub fn sin_cos(x: f64) -> (f64, f64) {
        libm::sincos(x)
    }
}
