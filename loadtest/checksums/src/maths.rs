//! The functions that rules may call with floats, with random arguments. The bundled games use few of them.

use tickcast::glam::{EulerRot, Mat4, Quat, Vec2, Vec3, Vec3A, Vec4};
use tickcast::math;
use tickcast::rand::rngs::ChaCha8Rng;
use tickcast::rand::{RngExt, SeedableRng};

use crate::{Subject, continued};

pub(crate) struct Maths {
    rng: ChaCha8Rng,
    digest: u64,
}

impl Maths {
    pub(crate) fn new(seed: u64) -> Self {
        Self { rng: ChaCha8Rng::seed_from_u64(seed), digest: 0 }
    }

    fn note<const N: usize>(&mut self, values: [f32; N]) {
        debug_assert!(values.iter().all(|value| !value.is_nan()), "the bits of NaN are not specified: {values:?}");
        values.iter().for_each(|value| self.digest = continued(self.digest, &value.to_bits().to_le_bytes()));
    }

    fn step(&mut self) {
        let rng = &mut self.rng;
        // Any number, a small one above zero, and a share.
        let [x, y, z, w] = std::array::from_fn(|_| rng.random_range(-64.0..64.0f32));
        let (small, share) = (rng.random_range(0.001..8.0f32), rng.random_range(-0.999..0.999f32));
        self.exact(x, y, small);
        self.angles(x, y, share);
        self.powers(small, y, share);
        self.doubles(f64::from(x), f64::from(small), f64::from(share));
        self.vectors([x, y, z, w], share.abs());
    }

    /// The functions that are exact on every machine.
    fn exact(&mut self, x: f32, y: f32, small: f32) {
        self.note([x + y, x - y, x * y, x / small, x % small, x.rem_euclid(small), x.div_euclid(small), x.mul_add(y, small)]);
        self.note([small.sqrt(), x.floor(), x.ceil(), x.round(), x.trunc(), x.fract(), x.clamp(-1.0, 1.0), x.abs(), x.signum()]);
        self.note([x.to_degrees(), x.to_radians(), x as i8 as f32, f64::from(x).sqrt().max(0.0) as f32]);
    }

    fn angles(&mut self, x: f32, y: f32, share: f32) {
        let (sin, cos) = math::sin_cos(x);
        self.note([sin, cos, math::sin(y), math::cos(y), math::tan(x), math::atan(x), math::atan2(y, x)]);
        self.note([math::asin(share), math::acos(share), math::atanh(share), math::asinh(x)]);
    }

    fn powers(&mut self, small: f32, y: f32, share: f32) {
        self.note([math::exp(y), math::exp2(y), math::exp_m1(share), math::ln(small), math::ln_1p(share), math::log2(small)]);
        self.note([math::log10(small), math::powf(small, share), math::cbrt(y), math::hypot(small, y)]);
        self.note([math::sinh(share), math::cosh(small), math::tanh(share), math::acosh(1.0 + small)]);
    }

    fn doubles(&mut self, x: f64, small: f64, share: f64) {
        use math::f64::{acos, atan2, cbrt, cos, exp, hypot, ln, powf, sin, tan};
        let values = [sin(x), cos(x), tan(x), acos(share), atan2(x, share), exp(share), ln(small), powf(small, share), cbrt(x)];
        for value in values.into_iter().chain([hypot(x, small), x % small, small.sqrt()]) {
            self.digest = continued(self.digest, &value.to_bits().to_le_bytes());
        }
    }

    fn vectors(&mut self, [x, y, z, w]: [f32; 4], share: f32) {
        let (a, b) = (Vec2::new(x, y), Vec2::new(z, w));
        self.note(Vec2::from_angle(x).rotate(b).to_array());
        self.note([a.to_angle(), a.angle_to(b), a.length(), a.distance(b), a.dot(b), a.perp_dot(b)]);
        self.note((a.normalize_or_zero() + a.lerp(b, share) + a.clamp_length_max(4.0) + a.rotate_towards(b, share)).to_array());
        let (c, d) = (Vec3::new(x, y, z), Vec3::new(w, x, y));
        self.note((c.cross(d) + c.normalize_or_zero() + c.reject_from(d)).to_array());
        self.note([c.length(), c.dot(d), c.angle_between(d), Vec4::new(x, y, z, w).length(), Vec3A::from(c).dot(d.into())]);
        let turn = Quat::from_euler(EulerRot::XYZ, x, y, z);
        let other = Quat::from_axis_angle(Vec3::Y, w);
        self.note((turn * c).to_array());
        self.note(turn.slerp(other, share).normalize().to_array());
        self.note(Mat4::from_scale_rotation_translation(Vec3::new(0.5, 2.0, 1.0 + share), turn, d).inverse().to_cols_array());
    }
}

impl Subject for Maths {
    fn run(&mut self, ticks: u32) {
        (0..ticks).for_each(|_| self.step());
    }

    fn digest(&self) -> u64 {
        self.digest
    }

    fn matches(&self) -> u32 {
        0
    }
}
